"""Say in our own words why Vestibule was not reached: a library's message may quote a secret that was sent."""

import os
import socket
import ssl

import httpx

from vestibule.client.errors import NotReachedError, NotVestibuleError
from vestibule.client.wire import CHECK_URL, CONNECT_SECONDS

_CHECK_AUTHORITY = "name its authority's file in SSL_CERT_FILE, or give ssl_context"
_CHECK_CLOCK = "this machine's clock may be wrong: timedatectl set-ntp true"
_MAX_CAUSES = 10  # a chain of exceptions may refer to itself

# What a resolver says of a name that does not exist; its other faults may pass. Not every system has all three.
_NO_SUCH_NAME = {getattr(socket, name, None) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")}
# What OpenSSL says of bytes that are not TLS. A connection that was cut, or an alert of the server, is another reason.
_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"}

# OpenSSL's X509_V_ERR codes, as in `verify_code` (man openssl-verification-options).
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME = {62, 64}  # host name, IP address
_UNKNOWN_AUTHORITY = {2, 18, 19, 20, 21}


def as_setup_fault(fault: Exception, base: httpx.URL) -> Exception:
    """Return `NotVestibuleError` for a wrong host name, certificate or port, which an operator must correct; else
    `fault`.
    """
    if not isinstance(fault, httpx.ConnectError):
        return fault
    correction = next(filter(None, (_correction(cause, base.host) for cause in _causes_of(fault))), "")
    return NotVestibuleError(correction) if correction else fault


def _correction(cause: BaseException, host: str) -> str:
    """Return what is wrong and how to correct it; empty if the fault may pass."""
    if isinstance(cause, socket.gaierror) and cause.errno in _NO_SUCH_NAME:
        return f"the name {host} leads nowhere; {CHECK_URL}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {host} {_wrong_with(cause, host)}"
    if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
        return f"{host} does not speak TLS on this port; {CHECK_URL}"
    return ""


def _wrong_with(refused: ssl.SSLCertVerificationError, host: str) -> str:
    if refused.verify_code == _EXPIRED:
        return f"has expired; renew it there. If it is valid, {_CHECK_CLOCK}"
    if refused.verify_code == _NOT_YET_VALID:
        return f"is not valid yet; {_CHECK_CLOCK}"
    if refused.verify_code in _OTHER_NAME:
        return f"is for another name; {CHECK_URL}, or get one for {host} there"
    if refused.verify_code in _UNKNOWN_AUTHORITY:
        return f"is not trusted on this machine; {_CHECK_AUTHORITY}"
    return f"is not accepted: {refused.verify_message}"


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
    said = next(filter(None, map(_words, _causes_of(fault))), "")
    return f"{name}: {said}" if said else name


def _words(cause: BaseException) -> str:
    """Return what a cause says; empty if the system has no words for it. Resolvers and OpenSSL have numbers of their
    own, which `strerror` would take for the system's.
    """
    if isinstance(cause, socket.gaierror):
        return "the host's name could not be looked up"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS connection: {(cause.reason or 'it was cut').replace('_', ' ').lower()}"
    return os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else ""


def kinds_of(fault: BaseException) -> str:
    """Return the type names of an exception and of those it groups. Their messages may quote what was sent."""
    if isinstance(fault, BaseExceptionGroup):
        return ", ".join(sorted({kinds_of(one) for one in fault.exceptions}))
    return type(fault).__name__


def _causes_of(fault: BaseException) -> list[BaseException]:
    """Return the exceptions that led to this one, the last first."""
    causes: list[BaseException] = []
    cause = fault.__cause__ or fault.__context__
    while cause is not None and len(causes) < _MAX_CAUSES:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    return causes
