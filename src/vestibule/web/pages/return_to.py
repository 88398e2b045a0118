r"""Decide where pages may redirect a browser: to our own paths, and to pages of the origins in `WebPolicy.origins`.

Paths of the API are refused, because a GET there may sign somebody out.

Browsers read URLs in surprising ways (`//host`, `/\host`, ignored tabs, dot segments). So one strict parser accepts
plain URLs, and refuses everything else.

A target comes with the request, or was kept: in a cookie, for this browser, and with a mailed link, for another
browser. Each is checked whenever it is used.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from urllib.parse import quote, unquote, urlencode

from starlette.requests import Request

from vestibule.flows.check_link import look_up_link
from vestibule.flows.env import Env
from vestibule.model.client_info import ClientInfo
from vestibule.model.one_time_tokens import OneTimeToken, Purpose
from vestibule.protocol.cookies import read
from vestibule.web import cookies
from vestibule.web.request_context import context_of
from vestibule.web.request_errors import ReturnToTooLong
from vestibule.web.site import site_of

HOME = "/profile"
MAX_CHARACTERS = 1024
_SEGMENT = r"(?!\.{1,2}(?:[/?]|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+"
_API = r"(?!/[Aa][Pp][Ii](?:[/?]|$))"
_PATH = rf"{_API}/(?:{_SEGMENT}(?:/{_SEGMENT})*/?)?"
_QUERY = r"(?:\?[A-Za-z0-9._~!$'()*+,;=:@/?&%-]*)?"
_PLAIN = re.compile(rf"{_PATH}{_QUERY}")
_MAILED_SECRET = re.compile(r"(?:email|password|factors?|invitation)(?:/|%2[Ff])[0-9a-f]{64}")
"""A secret in the URL of a mailed link's page, which may itself be a parameter of another URL."""


def allowed_target(text: str, origins: Collection[str]) -> str | None:
    """Return `text` if a page may redirect the browser there; None otherwise."""
    if len(text) > MAX_CHARACTERS:
        return None
    origin = next((origin for origin in origins if text == origin or text.startswith(f"{origin}/")), "")
    rest = text.removeprefix(origin)
    return text if _PLAIN.fullmatch(rest) or (origin and not rest) else None


def require_short(given: str) -> None:
    """Raise `ReturnToTooLong` if a target that came with the request is too long to be kept."""
    if len(given) > MAX_CHARACTERS:
        raise ReturnToTooLong


def target_for(request: Request, given: str) -> str:
    """Return where to redirect: `given`, or without it the target of the mailed link that was opened, or without that
    the target in the cookie. Return `HOME` if the one so chosen is not allowed.
    """
    in_cookie = unquote(read(request.headers.raw, cookies.RETURN_TO.encode()) or "")
    kept = context_of(request).link_target or in_cookie
    target = allowed_target(given or kept, site_of(request).web.origins)
    if given and target is None:
        site_of(request).hints.return_to_ignored(given)
    return target or HOME


def target_of(request: Request) -> str:
    """Return where to redirect after this request: `target_for` applied to what its form or its query names."""
    return target_for(request, named_by(request))


def named_by(request: Request) -> str:
    """Return the target that the form or the query names, not checked; empty without one."""
    sent = context_of(request).form_values or {}
    return sent.get("return_to", request.query_params.get("return_to", ""))


def allowed_here(request: Request) -> str:
    """Return the target that the form or the query names, if a page may redirect there; otherwise nothing, also if a
    cookie has one.
    """
    return allowed_target(named_by(request), site_of(request).web.origins) or ""


def as_parameter(target: str) -> str:
    """Return the target as the parameter `return_to`; empty for `HOME`, which needs no parameter."""
    return "" if target == HOME else target


def with_target(request: Request, client_info: ClientInfo) -> ClientInfo:
    """Return the client info with the target, to be kept with a mailed link. A target with a mailed secret is left out:
    only digests of mailed secrets are stored.
    """
    target = as_parameter(target_of(request))
    return client_info if _MAILED_SECRET.search(target) else replace(client_info, return_to=target)


async def adopt_link_target(request: Request, env: Env, secret: str, purpose: Purpose) -> OneTimeToken | None:
    """Use the target that is stored with a mailed link for this request. Return the link, even if it is spent or
    expired; None if it is unknown, void or purged (`look_up_link`).
    """
    link = await look_up_link(env, secret, purpose)
    target = link.return_to if link is not None else None
    context_of(request).link_target = target or ""
    return link


def as_cookie(target: str) -> str:
    """Return a target, encoded for a cookie (RFC 6265, section 4.1.1)."""
    return quote(target, safe="/:?=&")


def with_notice(target: str, notice: str) -> str:
    """Return the target with a notice, if it is one of the profile pages, which show notices, and has no query."""
    shows_notices = target == HOME or target.startswith(f"{HOME}/")
    return with_query(target, notice=notice) if shows_notices and "?" not in target else target


def origin_of(target: str) -> str:
    """Return the origin of an allowed target; empty for a path of our own."""
    return "" if target.startswith("/") else "/".join(target.split("/", 3)[:3])


def with_query(path: str, **members: str) -> str:
    """Return the path with a query of the members that are not empty."""
    query = urlencode({name: value for name, value in members.items() if value})
    return f"{path}?{query}" if query else path
