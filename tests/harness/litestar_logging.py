"""Keep Litestar from changing the logging of the tests' process, from the import of this module on.

By default, a Litestar application configures logging for the whole process, with a thread that outlives the test and
writes to its closed output.
"""

import logging
from typing import Any

from litestar.logging import LoggingConfig


def _leave_as_it_is(_config: LoggingConfig) -> Any:
    return logging.getLogger


LoggingConfig.configure = _leave_as_it_is  # type: ignore[method-assign]
