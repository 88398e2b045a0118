r"""Decide where pages may redirect a browser: to our own paths, and to pages of listed origins.

Paths of the API are refused, because a GET there may sign somebody out.

Browsers read URLs in surprising ways (`//host`, `/\host`, ignored tabs, dot segments). So one strict parser accepts
plain URLs, and refuses everything else.
"""

import re
from collections.abc import Collection
from urllib.parse import quote, unquote, urlencode

from starlette.requests import Request

from vestibule.protocol.cookies import read
from vestibule.web import cookies
from vestibule.web.site import site_of

HOME = "/profile"
MAX_CHARACTERS = 1024
_SEGMENT = r"(?!\.{1,2}(?:[/?]|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+"
_API = r"(?!/[Aa][Pp][Ii](?:[/?]|$))"
_PATH = rf"{_API}/(?:{_SEGMENT}(?:/{_SEGMENT})*/?)?"
_QUERY = r"(?:\?[A-Za-z0-9._~!$'()*+,;=:@/?&%-]*)?"
_PLAIN = re.compile(rf"{_PATH}{_QUERY}")


def allowed_target(text: str, origins: Collection[str]) -> str | None:
    """Return `text` if a page may redirect the browser there; None otherwise."""
    if len(text) > MAX_CHARACTERS:
        return None
    origin = next((origin for origin in origins if text == origin or text.startswith(f"{origin}/")), "")
    rest = text.removeprefix(origin)
    return text if _PLAIN.fullmatch(rest) or (origin and not rest) else None


def target_for(request: Request, given: str) -> str:
    """Return where to redirect: to `given`, otherwise to the cookie's target; to `HOME` if that is not allowed."""
    in_cookie = unquote(read(request.headers.raw, cookies.RETURN_TO.encode()) or "")
    return allowed_target(given or in_cookie, site_of(request).web.origins) or HOME


def as_cookie(target: str) -> str:
    """Return a target, encoded for a cookie (RFC 6265, section 4.1.1)."""
    return quote(target, safe="/:?=&")


def origin_of(target: str) -> str:
    """Return the origin of an allowed target; empty for a path of our own."""
    return "" if target.startswith("/") else "/".join(target.split("/", 3)[:3])


def with_query(path: str, **members: str) -> str:
    """Return the path with a query of the members that are not empty."""
    query = urlencode({name: value for name, value in members.items() if value})
    return f"{path}?{query}" if query else path
