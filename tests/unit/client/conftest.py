"""The testing aid's fixture, as a project's own `conftest.py` would name it as a plugin."""

from vestibule.client.testing import vestibule

__all__ = ["vestibule"]
