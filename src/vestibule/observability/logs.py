"""Logs: one line for each event, readable in development, JSON in production (ASVS 5.0, 16.4.1)."""

import logging
import re
import sys
from ipaddress import ip_address, ip_network
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from vestibule.process.log_stream import QueuedStream
from vestibule.process.tracebacks import format_error

_log = structlog.get_logger(__name__)
_IPV4_BITS, _IPV6_BITS = 24, 48
_MAILBOX = re.compile(r"([^\s@<>()\"'=:/])[^\s@<>()\"'=:/]{0,63}(@[A-Za-z0-9-]{1,63}\.)")  # RFC 5321, section 4.5.3.1.1
_OTHERS_WORDS = {"fault", "why", "exception"}
_COMMON: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,  # the id of the request
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # Not structlog's own renderer, which shows local variables, nor Python's, which shows error messages.
    structlog.processors.ExceptionRenderer(lambda raised: format_error(raised[1])),
)
# asyncio logs callbacks with their arguments, and, in a second line `future: …`, tasks with their exceptions.
_ASYNCIO_VALUES = re.compile(r"(?<=callback ).*|\n\w+: .*", re.DOTALL)


def configure(level: str, pretty: bool, stream: QueuedStream | None = None, *, masked: bool = False) -> None:
    """Configure logging for this process, on the error stream unless `stream` is given. JSON escapes line breaks and
    control characters, so that nobody can forge a line.

    `masked`: cut network addresses to their network, and emails to a letter and their domain, wherever they appear.
    """
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=True)
    )
    before: list[Processor] = [*_COMMON, _mask if masked else _mask_others_words]
    file = cast(TextIO, stream or sys.stderr)
    structlog.configure(
        processors=[*before, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file),
        cache_logger_on_first_use=True,
    )
    _take_in_libraries(file, before, renderer)


def without_waiting(level: str, pretty: bool, *, masked: bool) -> QueuedStream:
    """Configure logging for a server, which must not block on its log; return the queue for its lines."""
    stream = QueuedStream(sys.stderr.fileno(), _tell_dropped)
    configure(level, pretty, stream, masked=masked)
    return stream


def _mask(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Cut a network address to /24, or /48 for IPv6, which names a town and no person; mask every email in any text."""
    for name, value in line.items():
        if isinstance(value, str):
            line[name] = masked_address(value) if name == "network_address" else masked_mailboxes(value)
    return line


def _mask_others_words(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Mask every email in what a mail server, a library or an error says, whatever the setting."""
    for name in _OTHERS_WORDS & line.keys():
        line[name] = masked_mailboxes(str(line[name]))
    return line


def masked_mailboxes(text: str) -> str:
    """Return `550 no mailbox ada@example.com` as `550 no mailbox a***@example.com`."""
    return _MAILBOX.sub(r"\1***\2", text)


def masked_address(text: str) -> str:
    """Return `192.0.2.7` as `192.0.2.0/24`, and `masked` for what is no address."""
    try:
        address = ip_address(text)
    except ValueError:
        return "masked"
    address = getattr(address, "ipv4_mapped", None) or address
    bits = _IPV4_BITS if address.version == 4 else _IPV6_BITS
    return str(ip_network((address, bits), strict=False))


def _take_in_libraries(file: TextIO, before: list[Processor], renderer: Processor) -> None:
    """Log what libraries send to Python's logging, asyncio above all, in the same form."""
    handler = logging.StreamHandler(file)
    handler.addFilter(_without_arguments)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _without_arguments(record: logging.LogRecord) -> bool:
    """Keep only the first line of asyncio's messages; the traceback says where it happened."""
    if record.name == "asyncio":
        record.msg, record.args = _ASYNCIO_VALUES.sub("", record.getMessage()), None
    return True


def _tell_dropped(lines: int) -> None:
    _log.warning("log_lines_dropped", lines=lines, hint="the reader of the log was too slow, or its disk was full")
