"""Say in our own words why Vestibule was not reached: a library's message may quote a secret that was sent."""

import os
import socket
import ssl

import httpx

from vestibule.client.errors import NotReachedError, NotVestibuleError
from vestibule.client.wire import CHECK_URL, CONNECT_SECONDS

_CHECK_AUTHORITY = "name its authority's file in SSL_CERT_FILE, or give ssl_context"
_MAX_CAUSES = 10


def as_setup_fault(fault: Exception, base: httpx.URL) -> Exception:
    """Return `NotVestibuleError` for a wrong host name, certificate or port, which no retry repairs; else `fault`."""
    causes = _causes(fault)
    if any(isinstance(one, socket.gaierror) for one in causes):
        return NotVestibuleError(f"the name {base.host} leads nowhere; {CHECK_URL}")
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes):
        return NotVestibuleError(f"the certificate of {base.host} is not trusted on this machine; {_CHECK_AUTHORITY}")
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return NotVestibuleError(f"{base.host} does not speak TLS on this port; {CHECK_URL}")
    return fault


def why(fault: Exception) -> str:
    """Return what went wrong, for a log, in our own words: a library's message may quote the request, as does `Illegal
    header value b'Bearer …'`.
    """
    name = type(fault).__name__
    if isinstance(fault, NotReachedError):
        return f"{name}: {fault}"
    if isinstance(fault, httpx.ReadTimeout):
        return "no answer in time"  # how long that is depends on what was asked for
    if isinstance(fault, httpx.ConnectTimeout):
        return f"no connection in {CONNECT_SECONDS:g} s"
    numbers = [one.errno or 0 for one in _causes(fault) if isinstance(one, OSError)]
    said = [os.strerror(number) for number in numbers if number > 0]  # resolvers use numbers below 0
    return f"{name}: {said[0]}" if said else name


def kinds_of(fault: BaseException | None) -> str:
    """Return the type names of an exception and of those it groups. Their messages may quote what was sent."""
    if isinstance(fault, BaseExceptionGroup):
        return ", ".join(sorted({kinds_of(one) for one in fault.exceptions}))
    return type(fault).__name__


def _causes(fault: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    cause = fault.__cause__ or fault.__context__
    while cause is not None and len(causes) < _MAX_CAUSES:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    return causes
