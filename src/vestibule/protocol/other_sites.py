"""Tell whether another site caused this request, by Origin and Fetch Metadata (ASVS 5.0, 3.5.1)."""

from collections.abc import Collection

from vestibule.protocol.cookies import RawHeaders

DOCTORS_ORIGIN = "https://origin-that-nobody-allowed.example"
"""The origin with which `vestibule doctor --url` asks whether a proxy lets every origin in. Nobody's front-end is there
(RFC 2606, section 2).
"""

_TLS_SCHEMES = {b"https"}
# A proxy may end TLS: the page came over https, and its request reaches us over http.
_WEB_SCHEMES = {b"http", b"https"}
_OWN_FETCH_SITES = {b"none", b"same-origin"}  # none: the user typed the address, or used a bookmark
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}  # RFC 9110, section 9.2.1, without TRACE, which nobody should serve


def from_elsewhere(headers: RawHeaders, origins: Collection[str], *, secure: bool = False) -> bool | None:
    """Return whether the request comes from a site other than our host and `origins`; None if no header tells.

    `secure`: the request came over TLS. A page of our host over plain HTTP then counts as another site.
    """
    sent = {name: content for name, content in headers if name in {b"origin", b"sec-fetch-site", b"host"}}
    origin, site = sent.get(b"origin"), sent.get(b"sec-fetch-site")
    if origin is not None and origin.decode("latin-1") in origins:
        return False
    if site is not None:
        return site not in _OWN_FETCH_SITES
    if origin is None:
        return None
    # Over plain HTTP browsers send no Fetch Metadata. Origin must then be the host itself.
    scheme, _, host = origin.partition(b"://")
    return scheme not in (_TLS_SCHEMES if secure else _WEB_SCHEMES) or host != sent.get(b"host")


def may_change_state(method: str, headers: RawHeaders) -> bool:
    """Return whether a request may change something: it has an unsafe method, or opens a websocket, which any site can
    open and use (RFC 6455, section 10.2).
    """
    return method.upper() not in _SAFE_METHODS or any(
        name == b"upgrade" and b"websocket" in content.lower() for name, content in headers
    )
