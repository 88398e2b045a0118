"""Keep Litestar from the logging of the process that runs the tests, from the moment this module is imported.

By default, an application sets logging up for the whole process, with a thread that goes on after the test and writes
to what the test's output was.
"""

import logging
from typing import Any

from litestar.logging import LoggingConfig


def _leave_as_it_is(_config: LoggingConfig) -> Any:
    return logging.getLogger


LoggingConfig.configure = _leave_as_it_is  # type: ignore[method-assign]
