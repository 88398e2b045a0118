"""Under which name the server is asked: one Host header, well formed, and one of those it has (WSTG-INPV-17).

No link is made from it; but caches and proxies act upon it, so a request that two of them read in two ways ends here.
"""

import re
from collections.abc import Iterable

from vestibule.web.errors import HostInvalid, HostUnknown
from vestibule.web.policy import WebPolicy

_HOST = re.compile(rb"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::[0-9]{1,5})?", re.IGNORECASE)
# A browser never says these for anybody else, and whatever runs beside the server asks so.
_HERE = frozenset({"localhost", "127.0.0.1", "[::1]"})


def require_host(headers: Iterable[tuple[bytes, bytes]], web: WebPolicy) -> None:
    """Raises `HostInvalid` unless there is exactly one, `HostUnknown` for one that is not listed."""
    sent = [content for name, content in headers if name == b"host"]
    found = _HOST.fullmatch(sent[0]) if len(sent) == 1 else None
    if found is None:
        raise HostInvalid
    name = found[1].decode().lower().rstrip(".")
    if web.hosts and name not in web.hosts and name not in _HERE:
        raise HostUnknown(name)
