"""The layer that adds headers to every answer, errors included.

Every answer, even a 404, 413 or 500, has a request id. An answer of the API to a listed origin also has CORS headers:
without them a front-end cannot read the error. Pages and the operators' API have no CORS headers: with them, the script
of a front-end could read the hidden fields of forms, and act as the operator who is signed in (RFC 9700, section 2.6).
This layer also drops a slash at the end of a path, and the body of an answer to HEAD. It refuses requests with a wrong
host or framing, and answers CORS preflights, before the application sees them. It answers an unexpected exception with
a 500 in the contract's format.
"""

import re
from urllib.parse import unquote

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vestibule.model.errors import Refusal
from vestibule.web.errors import UNEXPECTED, Json, refusal_response
from vestibule.web.front_end_hints import FrontEndHints
from vestibule.web.hosts import check_host_and_framing, is_loopback
from vestibule.web.pages.route import PageRoute
from vestibule.web.request_context import context_of
from vestibule.web.request_errors import RouteUnknown
from vestibule.web.request_ids import log_request_id, request_id
from vestibule.web.web_policy import WebPolicy

_log = structlog.get_logger(__name__)

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# For pages over plain HTTP, where a browser sends no Fetch Metadata. Under `no-referrer` it would also send
# `Origin: null`, and nothing would show that a form is from our own page. `strict-origin` sends the origin, but not the
# path, which may contain the secret of a mailed link.
_REFERRER_OF_PLAIN_PAGES = "strict-origin"
_HSTS = "max-age=31536000"  # a year
_DOCS_PATH = "/docs"
_ENCODED_SLASH = re.compile(rb"%2f", re.IGNORECASE)
# Development only: Swagger UI starts itself from an inline script.
_DOCS_CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
_DEPENDS_ON_CALLER = "Origin, Cookie, Authorization"
# Response headers that scripts of a listed origin may read, in addition to the few that they always may.
_READABLE = "X-Request-ID, Retry-After"
_OF_OPERATORS = ("/api/admin/", "/admin")
_METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"


def headers_for(origin: str | None, secure: bool) -> list[tuple[bytes, bytes]]:
    """Return the raw headers that every answer gets: to a listed origin, or, with None, to a request without an origin.
    `secure`: the server is behind TLS, so add HSTS (RFC 6797).
    """
    headers = MutableHeaders()
    _add_common(headers, origin, secure)
    return headers.raw


def _add_common(headers: MutableHeaders, origin: str | None, secure: bool) -> None:
    """Add the common headers that the answer has not set itself, and CORS headers if it goes to a listed `origin`."""
    for name, value in _SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if secure:
        headers.setdefault("Strict-Transport-Security", _HSTS)
    # A cacheable answer is the same for everybody. Every other answer depends on the caller.
    cacheable = headers["Cache-Control"].startswith("public")
    headers.setdefault("Vary", "Origin" if cacheable else _DEPENDS_ON_CALLER)
    if origin is not None:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
        headers["Access-Control-Expose-Headers"] = _READABLE


class HeadersLayer:
    """Wraps the application, inside every other layer."""

    def __init__(self, app: ASGIApp, policy: WebPolicy, hints: FrontEndHints) -> None:
        self._app = app
        self._policy = policy
        self._hints = hints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = context_of(Request(scope)).request_id or request_id(scope, self._policy)
        with log_request_id(identifier):
            await self._answer(scope, receive, _SendWithHeaders(send, scope, self._policy, identifier))

    async def _answer(self, scope: Scope, receive: Receive, send: "_SendWithHeaders") -> None:
        try:
            # Refuses a wrong host or framing, and returns whether the body is chunked.
            is_chunked = check_host_and_framing(scope["headers"], self._policy)
        except Refusal as refusal:
            send.closes = True
            await refusal_response(refusal)(scope, receive, send)
            return
        # With `chunked` and a Content-Length, a second request can be smuggled past a proxy that finds the end of the
        # body by the other one. The server library drops that Content-Length, so nothing tells whether there was one.
        send.closes = is_chunked
        self._hints.check_origin(Headers(scope=scope))
        if _is_preflight(scope):
            await _preflight_answer(scope, self._policy)(scope, receive, send)
            return
        if scope["path"].endswith("\n"):  # Starlette's patterns would ignore it
            await refusal_response(RouteUnknown(target(scope)))(scope, receive, send)
            return
        try:
            _unmatch_encoded_slashes(scope)
            _drop_trailing_slash(scope)
            await self._app(scope, receive, send)
        except Exception:
            _log.exception("unexpected", method=scope["method"], route=_route(scope))
            if not send.has_begun:
                await Json(UNEXPECTED, 500)(scope, receive, send)


def _route(scope: Scope) -> str:
    """Return the route's pattern, never the path: a path may contain a mailed secret, which is still valid after an
    error.
    """
    route = scope.get("route")
    return "none" if route is None else str(route.path)


class _SendWithHeaders:
    """Wraps `send`: adds the headers, and drops the body of an answer to HEAD."""

    def __init__(self, send: Send, scope: Scope, policy: WebPolicy, identifier: bytes) -> None:
        self._send = send
        self._scope = scope
        self._identifier = identifier.decode()
        self._policy = policy
        self._is_head = scope["method"] == "HEAD"
        self._is_docs = scope["path"].rstrip("/") == _DOCS_PATH
        headers = Headers(scope=scope)
        self._origin = headers.get("origin")
        # Browsers send Fetch Metadata to the loopback address over plain HTTP, too.
        self._is_plain = not policy.secure_cookies and not is_loopback(headers.get("host", ""))
        self.has_begun = False
        self.closes = False
        """Whether the connection is closed after this answer."""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            self._add(MutableHeaders(scope=message))
        elif self._is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def _add(self, headers: MutableHeaders) -> None:
        headers["X-Request-ID"] = self._identifier
        if self.closes:
            headers["Connection"] = "close"
        if self._is_docs:
            headers["Content-Security-Policy"] = _DOCS_CSP
        is_html = headers.get("content-type", "").startswith("text/html")
        if self._is_plain and is_html:
            headers["Referrer-Policy"] = _REFERRER_OF_PLAIN_PAGES
        is_page = is_html or isinstance(self._scope.get("route"), PageRoute)
        has_forms = is_page and not self._is_head  # by HEAD, a front-end learns whether a mailed link works
        private = has_forms or self._scope["path"].startswith(_OF_OPERATORS)
        readable = self._origin in self._policy.origins and not private
        _add_common(headers, self._origin if readable else None, self._policy.secure_cookies)


def target(scope: Scope) -> str:
    """Return path and query as the client sent them (RFC 9112, section 3.2), or, if the server library does not tell,
    the decoded path in ASCII.
    """
    # `raw_path` is optional in ASGI, and some servers include the query in it.
    path: bytes = scope.get("raw_path") or ascii(scope["path"])[1:-1].encode()
    query: bytes = scope["query_string"]
    return (path.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


def _is_preflight(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return scope["method"] == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def _preflight_answer(scope: Scope, policy: WebPolicy) -> Response:
    headers = Headers(scope=scope)
    if headers["origin"] not in policy.origins:
        return Response(status_code=204, headers={"Vary": "Origin"})
    allowed = {"Vary": "Origin", "Access-Control-Allow-Methods": _METHODS}
    if asked_for := headers.get("access-control-request-headers"):
        allowed["Access-Control-Allow-Headers"] = asked_for
    return Response(status_code=204, headers=allowed)


def _unmatch_encoded_slashes(scope: Scope) -> None:
    """Replace an encoded slash in the path by two slashes, which match no route. An encoded slash is a part of a
    segment (RFC 3986, section 2.2), but the server library decodes it, so it would separate two segments.
    """
    raw: bytes = scope.get("raw_path") or b""
    if _ENCODED_SLASH.search(raw):
        scope["path"] = unquote(_ENCODED_SLASH.sub(b"//", raw.partition(b"?")[0]).decode("latin-1"))


def _drop_trailing_slash(scope: Scope) -> None:
    path = scope["path"]
    if len(path) > 1 and path.endswith("/"):
        scope["path"] = path[:-1]
