"""The testing aid's fixture, for the services that a page shows."""

from vestibule.client.testing import vestibule

__all__ = ["vestibule"]
