"""Say in words why the system or the network refused: `Connection refused`. Python's libraries say
`[Errno 111] Connect call failed ('127.0.0.1', 5432)` instead.
"""

import os
import re
import socket
import ssl
from collections.abc import Iterator

# For a host with several addresses, asyncio raises one OSError with the messages of all, and sets no `errno`.
_ERRNO = re.compile(r"\[Errno (\d+)\]")
_MAX_CAUSES = 10


def reason(fault: BaseException) -> str:
    """Return the reason, taken from the first of the fault and its causes that the system raised; empty if none."""
    return next(filter(None, map(_words, _causes(fault))), "")


def _words(fault: BaseException) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {fault.verify_message}"
    if isinstance(fault, ssl.SSLError):
        return f"no TLS connection is possible: {(fault.reason or 'it was cut').replace('_', ' ').lower()}"
    if isinstance(fault, socket.gaierror):
        return str(fault.strerror)
    if isinstance(fault, OSError) and (number := fault.errno or _first_number(fault)):
        return os.strerror(number)
    return "no answer in time" if isinstance(fault, TimeoutError) else ""


def _first_number(fault: OSError) -> int:
    found = _ERRNO.search(str(fault))
    return int(found.group(1)) if found else 0


def _causes(fault: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = fault
    for _ in range(_MAX_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
