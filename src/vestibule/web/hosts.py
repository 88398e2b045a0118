"""Refuse a request that two programs on its way can read in two ways: which host it is for, and where its body ends.

Host: one header, well formed, and a name that this server has (WSTG-INPV-17). No link is made from it, but caches and
proxies act on it. Body: a length, or `Transfer-Encoding: chunked` and no other coding (RFC 9112, section 6.1).
"""

import re
from collections.abc import Iterable

from vestibule.protocol.this_machine import LOCALHOST, is_this_machine
from vestibule.web.errors import HostInvalid, HostUnknown, TransferCodingUnknown
from vestibule.web.policy import WebPolicy

_HOST = re.compile(rb"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::[0-9]{1,5})?", re.IGNORECASE)
# A browser never says these for anybody else, and whatever runs beside the server asks so.
_HERE = frozenset(f"[{name}]" if ":" in name else name for name in LOCALHOST)
_PORT = re.compile(r":\d{1,5}\Z")
_HOST_NAME, _CODING = b"host", b"transfer-encoding"
_FRAMING = frozenset({_HOST_NAME, _CODING})


def require_one_reading(headers: Iterable[tuple[bytes, bytes]], web: WebPolicy) -> bool:
    """Return whether the body comes in chunks. Raises `HostInvalid` unless there is exactly one Host header,
    `HostUnknown` for a name that is not listed, and `TransferCodingUnknown` for any coding but one `chunked`.

    Works on the headers as they come, in one pass, because the fast path asks it for every request it serves.
    """
    sent = [header for header in headers if header[0] in _FRAMING]
    codings = [content for name, content in sent if name == _CODING] if len(sent) != 1 else []
    _require_host([content for name, content in sent if name == _HOST_NAME], web)
    if codings and [coding.strip(b" \t").lower() for coding in codings] != [b"chunked"]:
        raise TransferCodingUnknown
    return bool(codings)


def is_loopback(host: str) -> bool:
    """Return whether browsers trust a host without TLS, as this machine's own (Secure Contexts, section 3.1)."""
    return is_this_machine(_PORT.sub("", host).removeprefix("[").removesuffix("]"))


def _require_host(sent: list[bytes], web: WebPolicy) -> None:
    """Raise `HostInvalid` unless there is one well-formed Host header (RFC 9112, section 3.2), and `HostUnknown` if it
    names no host of ours.
    """
    found = _HOST.fullmatch(sent[0]) if len(sent) == 1 else None
    if found is None:
        raise HostInvalid
    name = found[1].decode().lower().rstrip(".")
    if web.hosts and name not in web.hosts and name not in _HERE:
        raise HostUnknown(name)
