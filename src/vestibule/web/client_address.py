"""Find the client's address: the peer's, or the one that the operator's listed proxies name in a header.

A client can send a forwarded header with any text. Only the entries that listed proxies added can be trusted. So the
header is read from the right, and an entry counts only if the address that added it is listed (RFC 7239, section 8.1).
Without listed proxies no header is read. With listed proxies, only the header that the setting names is read
(`X-Forwarded-For` or `Forwarded`), because proxies pass the other header on as the client sent it.
"""

from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Literal

import structlog
from starlette.datastructures import Headers
from starlette.types import Scope

from vestibule.model.limits import canonical_address

Network = IPv4Network | IPv6Network
ProxyHeader = Literal["x-forwarded-for", "forwarded"]
_FORWARDING_HEADERS = ("x-forwarded-for", "forwarded")
_HIDDEN = "unknown"  # RFC 7239, section 6.2
_log = structlog.get_logger(__name__)


class ClientAddresses:
    """Finds client addresses for one installation. Warns once if a proxy in front of it seems not to be listed."""

    def __init__(self, proxies: tuple[Network, ...], header: ProxyHeader) -> None:
        self._proxies = proxies
        self._header = header
        self._warned = False

    def of(self, scope: Scope) -> str:
        """Return the address of the client; empty if the server does not name the peer."""
        peer = _bare(scope["client"][0]) if scope["client"] else ""
        headers = Headers(scope=scope)
        if not is_listed(peer, self._proxies):
            self._warn_once(peer, headers)
            return peer
        address = peer
        for entry in reversed(_entries(headers, self._header)):
            if not entry.strip():  # empty elements are ignored (RFC 9110, section 5.6.1.2)
                continue
            hop = _bare(entry)
            if not hop:  # hidden, or not an address: then the proxy that wrote the entry counts as the client
                break
            address = hop
            if not is_listed(hop, self._proxies):
                break
        return address

    def _warn_once(self, peer: str, headers: Headers) -> None:
        if self._warned or not any(name in headers for name in _FORWARDING_HEADERS):
            return
        self._warned = True
        _log.warning(
            "forwarded_header_not_read",
            peer=peer,
            hint=f"if this is your proxy, set VESTIBULE_TRUSTED_PROXIES={peer}; until then everybody behind it counts "
            "as one client",
        )


def is_listed(address: str, proxies: tuple[Network, ...]) -> bool:
    """Return whether the address belongs to one of these proxies; False if it is no address."""
    if not proxies or not address:
        return False
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(parsed in network for network in proxies)


def _entries(headers: Headers, name: ProxyHeader) -> list[str]:
    """Return the header's entries in the order in which proxies added them. An entry is the address that connected to
    the proxy that added it.
    """
    elements = ",".join(headers.getlist(name)).split(",")
    if name == "x-forwarded-for":
        return elements
    return [_forwarded_for(element) for element in elements if element.strip()]


def _forwarded_for(element: str) -> str:
    """Return `for` in one element of `Forwarded` (RFC 7239, section 4)."""
    for pair in element.split(";"):
        key, _, value = pair.strip().partition("=")
        if key.lower() == "for":
            return value.strip('"') or _HIDDEN
    return _HIDDEN


def _bare(entry: str) -> str:
    """Return the address without port, brackets and zone, in its shortest form; empty if it is not an address."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return canonical_address(text)
