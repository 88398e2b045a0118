"""Tell whether another site caused this request, by Origin and Fetch Metadata (ASVS 5.0, 3.5.1)."""

from collections.abc import Collection

from vestibule.protocol.cookies import RawHeaders

_OURS = {b"none", b"same-origin"}
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}  # RFC 9110, section 9.2.1, without TRACE, which nobody should serve


def from_elsewhere(headers: RawHeaders, origins: Collection[str]) -> bool | None:
    """Return whether the request comes from a site other than our host and `origins`; None if no header tells."""
    said = {name: content for name, content in headers if name in {b"origin", b"sec-fetch-site", b"host"}}
    origin, site = said.get(b"origin"), said.get(b"sec-fetch-site")
    if origin is not None and origin.decode("latin-1") in origins:
        return False
    if site is not None:
        return site not in _OURS
    if origin is None:
        return None
    # Over plain HTTP browsers send no Fetch Metadata: then Origin must be the host itself.
    return origin.partition(b"://")[2] != said.get(b"host")


def changes_something(method: str, headers: RawHeaders) -> bool:
    """Return whether a request may change something. That is every unsafe method, and the opening of a websocket, which
    any site can open and use (RFC 6455, section 10.2).
    """
    return method.upper() not in _SAFE_METHODS or any(
        name == b"upgrade" and b"websocket" in content.lower() for name, content in headers
    )
