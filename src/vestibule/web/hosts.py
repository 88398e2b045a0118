"""Refuse requests in which a proxy and this server may find different hosts, or different ends of the body.

There must be one well-formed Host header, with a name of this server (WSTG-INPV-17). Vestibule builds no link from it,
but caches and proxies use it. The body must have a length, or the single transfer coding `chunked` (RFC 9112, section
6.1).
"""

import re
from collections.abc import Iterable

from vestibule.protocol.this_machine import LOCALHOST, is_this_machine
from vestibule.web.request_errors import HostInvalid, HostUnknown, TransferCodingUnknown
from vestibule.web.web_policy import WebPolicy

_HOST = re.compile(rb"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::[0-9]{1,5})?", re.IGNORECASE)
# Always allowed: a browser sends these names only to its own machine, and programs beside the server use them.
_LOCAL_HOSTS = frozenset(f"[{name}]" if ":" in name else name for name in LOCALHOST)
_PORT_SUFFIX = re.compile(r":\d{1,5}\Z")
_HOST_NAME, _CODING = b"host", b"transfer-encoding"
_CHECKED_HEADERS = frozenset({_HOST_NAME, _CODING})


def check_host_and_framing(headers: Iterable[tuple[bytes, bytes]], web: WebPolicy) -> bool:
    """Return whether the body comes in chunks. Raises `HostInvalid` unless there is exactly one Host header,
    `HostUnknown` for a name that is not listed, and `TransferCodingUnknown` for any coding but one `chunked`.

    Reads raw headers in one pass, because the fast path calls this for every request it answers.
    """
    sent = [header for header in headers if header[0] in _CHECKED_HEADERS]
    # Usually only Host was sent. If only a transfer coding was sent, the missing Host is refused.
    codings = [content for name, content in sent if name == _CODING] if len(sent) > 1 else []
    _require_host([content for name, content in sent if name == _HOST_NAME], web)
    if codings and [coding.strip(b" \t").lower() for coding in codings] != [b"chunked"]:
        raise TransferCodingUnknown
    return bool(codings)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, which browsers trust without TLS (Secure Contexts, section 3.1)."""
    return is_this_machine(_PORT_SUFFIX.sub("", host).removeprefix("[").removesuffix("]"))


def _require_host(values: list[bytes], web: WebPolicy) -> None:
    """Raise `HostInvalid` unless these are the value of one well-formed Host header (RFC 9112, section 3.2), and
    `HostUnknown` if its name is not listed.
    """
    found = _HOST.fullmatch(values[0]) if len(values) == 1 else None
    if found is None:
        raise HostInvalid
    name = found[1].decode().lower().rstrip(".")
    if web.hosts and name not in web.hosts and name not in _LOCAL_HOSTS:
        raise HostUnknown(name)
