"""Which address a request comes from: the peer's, or what proxies that the operator named say of whom they serve.

A forwarded header is anybody's text until a listed proxy has added to it. So it is read from the right, each entry only
as long as the one who wrote it is listed (RFC 7239, section 8.1); without a list it is not read at all. Only the header
that the proxies write is looked at: the other one would come through them as the client sent it.
"""

from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Literal

import structlog
from starlette.datastructures import Headers
from starlette.types import Scope

from vestibule.model.limits import usual_form

Network = IPv4Network | IPv6Network
ProxyHeader = Literal["x-forwarded-for", "forwarded"]
_HEADERS = ("x-forwarded-for", "forwarded")
_HIDDEN = "unknown"  # RFC 7239, section 6.2
_log = structlog.get_logger(__name__)


class ClientAddresses:
    """Tells addresses, for one installation; says once where a proxy stands in front that is not listed."""

    def __init__(self, proxies: tuple[Network, ...], header: ProxyHeader) -> None:
        self._proxies = proxies
        self._header = header
        self._told = False

    def of(self, scope: Scope) -> str:
        """Return the address of the client; empty if the server does not know even the peer."""
        peer = _bare(scope["client"][0]) if scope["client"] else ""
        headers = Headers(scope=scope)
        if not is_listed(peer, self._proxies):
            self._tell(peer, headers)
            return peer
        address = peer
        for entry in reversed(_entries(headers, self._header)):
            if not entry.strip():  # an empty element is none (RFC 9110, section 5.6.1.2)
                continue
            hop = _bare(entry)
            if not hop:  # hidden or no address at all: the proxy that wrote it is the last one that we know
                break
            address = hop
            if not is_listed(hop, self._proxies):
                break
        return address

    def _tell(self, peer: str, headers: Headers) -> None:
        if self._told or not any(name in headers for name in _HEADERS):
            return
        self._told = True
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
    """Return who was served, from the first proxy to the last."""
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
    """Return the address without port, brackets and zone (RFC 4007, whose text is anybody's), in its shortest form;
    empty if it is no address.
    """
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return usual_form(text.partition("%")[0])
