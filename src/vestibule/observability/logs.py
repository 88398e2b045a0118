"""Configure the log: one line for each event, readable in development, JSON in production (ASVS 5.0, 16.4.1)."""

import logging
import re
import sys
import threading
from ipaddress import ip_address, ip_network
from multiprocessing.util import Finalize
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from vestibule.process.log_stream import DirectStream, QueuedStream
from vestibule.process.tracebacks import format_error

_log = structlog.get_logger(__name__)
_IPV4_BITS, _IPV6_BITS = 24, 48
_MAILBOX = re.compile(r"([^\s@<>()\"'=:/])[^\s@<>()\"'=:/]{0,63}(@[A-Za-z0-9-]{1,63}\.)")  # RFC 5321, section 4.5.3.1.1
_STANDARD_ERROR = 2
_SERVERS = ("_granian", "granian.access", "uvicorn", "uvicorn.error", "uvicorn.access")
"""The loggers of ASGI servers, which have handlers of their own."""
# The fields of a log line whose text may come from a mail server, a client or a library.
_FIELDS_FROM_OUTSIDE = {"fault", "why", "exception"}
_COMMON: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,  # the id of the request
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # structlog's own renderer would show local variables, and Python's would show error messages. `raised` is what
    # `sys.exc_info()` returns: type, error and traceback.
    structlog.processors.ExceptionRenderer(lambda raised: format_error(raised[1])),
)
# Matches the values in asyncio's messages: a callback's arguments, and further lines such as `future: …`, which show a
# task's exception.
_ASYNCIO_VALUES = re.compile(r"(?<=callback ).*|\n\w+: .*", re.DOTALL)


def configure(
    level: str, pretty: bool, stream: DirectStream | QueuedStream | None = None, *, masked: bool = False
) -> None:
    """Configure logging for this process. Lines go to standard error, or to `stream` if it is given. JSON escapes line
    breaks and control characters, so that no value can forge a line. With JSON, warnings and uncaught exceptions are
    log lines too.

    `masked`: replace each network address by its network, and each email by its first letter and its domain.
    """
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=True)
    )
    preparing: list[Processor] = [*_COMMON, _mask if masked else _mask_fields_from_outside]
    file = cast(TextIO, stream or sys.stderr)
    structlog.configure(
        processors=[*preparing, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file),
        # Only in a worker: a logger that its parent cached before the fork would go on writing as the parent does.
        cache_logger_on_first_use=isinstance(stream, QueuedStream),
    )
    _configure_logging_of_libraries(file, preparing, renderer)
    if not pretty:
        _log_what_python_prints()


def configure_for_parent(level: str, *, masked: bool = False) -> None:
    """Configure logging as JSON for the parent of the workers, from its first line on. Each line is written at once."""
    configure(level, pretty=False, stream=DirectStream(_STANDARD_ERROR), masked=masked)


def configure_without_blocking(level: str, pretty: bool, *, masked: bool) -> QueuedStream:
    """Configure logging for a server's process: writing a line never blocks. Return the queue of lines."""
    stream = QueuedStream(sys.stderr.fileno(), _log_dropped)
    configure(level, pretty, stream, masked=masked)
    # For lines after the end of the application, such as those about its failed start. multiprocessing calls this at
    # the end of a worker, where `atexit` calls nothing.
    Finalize(None, stream.drain, exitpriority=0)
    return stream


def _mask(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Replace the network address by its /24 (IPv6: /48), which does not identify a person. Mask every email."""
    for name, value in line.items():
        if isinstance(value, str):
            line[name] = masked_address(value) if name == "network_address" else masked_mailboxes(value)
    return line


def _mask_fields_from_outside(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Mask emails in texts that mail servers and libraries wrote, even where `masked` is off."""
    for name in _FIELDS_FROM_OUTSIDE & line.keys():
        line[name] = masked_mailboxes(str(line[name]))
    return line


def masked_mailboxes(text: str) -> str:
    """Return `550 no mailbox ada@example.com` as `550 no mailbox a***@example.com`."""
    return _MAILBOX.sub(r"\1***\2", text)


def masked_address(text: str) -> str:
    """Return `192.0.2.7` as `192.0.2.0/24`; return `masked` for text that is not an address."""
    try:
        address = ip_address(text)
    except ValueError:
        return "masked"
    address = getattr(address, "ipv4_mapped", None) or address
    bits = _IPV4_BITS if address.version == 4 else _IPV6_BITS
    return str(ip_network((address, bits), strict=False))


def _configure_logging_of_libraries(file: TextIO, preparing: list[Processor], renderer: Processor) -> None:
    """Log what libraries (mostly asyncio) send to Python's logging, in the same format."""
    handler = logging.StreamHandler(file)
    handler.addFilter(_remove_asyncio_values)
    handler.addFilter(_is_no_traceback)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=preparing,  # for records that did not come from structlog
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in _SERVERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def _log_what_python_prints() -> None:
    """Log warnings and uncaught exceptions, which Python would print as lines of text."""
    logging.captureWarnings(True)
    sys.excepthook = lambda _kind, error, _traceback: _log_uncaught(error)
    threading.excepthook = lambda raised: _log_uncaught(raised.exc_value)
    sys.unraisablehook = lambda raised: _log_uncaught(raised.exc_value)


def _log_uncaught(error: BaseException | None) -> None:
    if not isinstance(error, SystemExit):  # ends a thread, and is no failure
        _log.critical("uncaught_exception", exc_info=error)


def _remove_asyncio_values(record: logging.LogRecord) -> bool:
    """Remove the values from asyncio's messages; return True, to log the record. The traceback still shows where the
    error happened.
    """
    if record.name == "asyncio":
        record.msg, record.args = _ASYNCIO_VALUES.sub("", record.getMessage()), None
    return True


def _is_no_traceback(record: logging.LogRecord) -> bool:
    """Return False for the traceback that Starlette hands its server as a text: it has values, and `app` has logged the
    failed start without them.
    """
    return not record.getMessage().startswith("Traceback (most recent call last)")


def _log_dropped(lines: int) -> None:
    _log.warning("log_lines_dropped", lines=lines, hint="the reader of the log was too slow, or its disk was full")
