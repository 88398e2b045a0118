"""Tell whether another site caused this request, by Origin and Fetch Metadata (ASVS 5.0, 3.5.1)."""

from collections.abc import Collection

from vestibule.protocol.cookies import RawHeaders

_TLS = {b"https"}
_WEB = {b"http", b"https"}  # TLS may end at a proxy, so a page may have come by it although the request did not
_OURS = {b"none", b"same-origin"}
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}  # RFC 9110, section 9.2.1, without TRACE, which nobody should serve


def from_elsewhere(headers: RawHeaders, origins: Collection[str], *, secure: bool = False) -> bool | None:
    """Return whether the request comes from a site other than our host and `origins`; None if no header tells.

    `secure`: the request came by TLS, so a page of our host that came without is another site.
    """
    said = {name: content for name, content in headers if name in {b"origin", b"sec-fetch-site", b"host"}}
    origin, site = said.get(b"origin"), said.get(b"sec-fetch-site")
    if origin is not None and origin.decode("latin-1") in origins:
        return False
    if site is not None:
        return site not in _OURS
    if origin is None:
        return None
    # Over plain HTTP browsers send no Fetch Metadata: then Origin must be the host itself.
    scheme, _, host = origin.partition(b"://")
    return scheme not in (_TLS if secure else _WEB) or host != said.get(b"host")


def changes_something(method: str, headers: RawHeaders) -> bool:
    """Return whether a request may change something. That is every unsafe method, and the opening of a websocket, which
    any site can open and use (RFC 6455, section 10.2).
    """
    return method.upper() not in _SAFE_METHODS or any(
        name == b"upgrade" and b"websocket" in content.lower() for name, content in headers
    )
