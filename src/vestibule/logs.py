"""Logs: one line for each event, readable in development, JSON in production (ASVS 5.0, 16.4.1)."""

import logging
import sys

import structlog


def configure(level: str, pretty: bool) -> None:
    """Set up logging for this process. JSON escapes line breaks and controls, so that nobody can forge a line."""
    # Plain tracebacks: structlog's rich ones show local variables, and there are passwords among them.
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=True)
    )
    exceptions = [] if pretty else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,  # the id of the request
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *exceptions,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
