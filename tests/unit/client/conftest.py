"""The testing aid's fixture, as a project's own `conftest.py` would name it as a plugin; and Litestar's logging off."""

from tests.harness.litestar_logging import no_logging_of_litestar
from vestibule.client.testing import vestibule

__all__ = ["no_logging_of_litestar", "vestibule"]
