"""What all projects of the guide have in common."""

from tests.harness.litestar_logging import no_logging_of_litestar

__all__ = ["no_logging_of_litestar"]
