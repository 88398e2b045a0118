"""The testing aid's fixture, as a project's own `conftest.py` would name it as a plugin; and Litestar's logging off."""

from tests.harness import litestar_logging
from vestibule.client.testing import vestibule

__all__ = ["litestar_logging", "vestibule"]
