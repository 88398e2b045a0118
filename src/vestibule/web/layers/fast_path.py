"""The layer that answers two frequent GETs without the framework, from memory or after one look-up.

The layer answers exact paths only, and only with success. Every other request goes on to the framework. The guard of
those routes calls the same function, `flows.identify`, so both give the same answers. The result of a look-up is passed
on with the request, so nothing is looked up twice.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller, identify, identify_from_memory
from vestibule.model.errors import Refusal
from vestibule.protocol.cookies import RawHeaders
from vestibule.protocol.credentials import find_token_in
from vestibule.state.memory import RawResponse
from vestibule.web.api.me import me_content
from vestibule.web.cookies import access_name
from vestibule.web.forward_auth import caller_headers, check_forwarded
from vestibule.web.hosts import check_host_and_framing
from vestibule.web.in_flight import Stage, peer_of
from vestibule.web.layers.headers import headers_for
from vestibule.web.request_context import Identified, context_of
from vestibule.web.request_ids import REQUEST_ID_HEADER, log_request_id, new_request_id, request_id
from vestibule.web.site import Site

RawHeader = tuple[bytes, bytes]
ReadHeaders = dict[bytes, bytes]
"""The request headers named in `_HEADERS_TO_READ`, by name."""
FastRequest = tuple[
    Env,
    str,  # the access token
    list[RawHeader],  # the response headers for the request's Origin
    bytes | None,  # the request id, if a proxy gave one
]
"""A request that the fast path answers. A bare tuple: a NamedTuple would take a quarter of a microsecond more."""

_JSON_CONTENT_TYPE = (b"content-type", b"application/json; charset=utf-8")
_OF_A_BODY = (b"transfer-encoding", b"content-length")
_HEADERS_TO_READ = frozenset({b"host", b"origin", b"cookie", b"authorization", *_OF_A_BODY, REQUEST_ID_HEADER})
_MAX_HOSTS = 64  # remembered as accepted; without VESTIBULE_ALLOWED_HOSTS, clients may send any


class FastPath:
    """Wraps the application and every other layer."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._env_holder = site.env_holder
        self._web = site.web
        self._in_flight = site.in_flight
        self._cookie_name = access_name(site.web)
        secure = site.web.secure_cookies
        self._headers_by_origin: dict[bytes | None, list[RawHeader]] = {
            origin.encode() if origin else None: headers_for(origin, secure) for origin in (None, *site.web.origins)
        }
        self._hosts: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self._read(scope)
        if request is None:
            await self._app(scope, receive, send)
            return
        env, token, headers, given_id = request
        caller = identify_from_memory(env, token)
        if caller is None:
            await self._look_up(request, scope, receive, send)
        else:
            await _send(scope, send, caller, (REQUEST_ID_HEADER, given_id or new_request_id()), headers)

    def _read(self, scope: Scope) -> FastRequest | None:
        """Return the request, read in one pass over its headers; None if the framework has to answer it."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in _ANSWERS or not _is_plain(scope):
            return None
        env, read = self._env_holder.env, _read_headers(scope["headers"])
        if env is None or env.readiness.draining or read is None or _has_body(read):
            return None
        headers = self._headers_by_origin.get(read.get(b"origin"))
        token, _ = find_token_in(read.get(b"authorization"), read.get(b"cookie", b""), self._cookie_name)
        if headers is None or not token:
            return None
        try:
            if read.get(b"host") not in self._hosts:
                self._require_our_host(read)
            if scope["path"] == _VERIFY_PATH:
                check_forwarded(scope["headers"], self._web)
        except Refusal:
            return None
        given_id = request_id(scope, self._web) if REQUEST_ID_HEADER in read else None
        return env, token, headers, given_id

    def _require_our_host(self, read: ReadHeaders) -> None:
        """Raise a `Refusal` unless the Host header names this server. Hosts that were accepted are remembered."""
        check_host_and_framing(read.items(), self._web)
        if len(self._hosts) < _MAX_HOSTS:
            self._hosts.add(read[b"host"])

    async def _look_up(self, request: FastRequest, scope: Scope, receive: Receive, send: Send) -> None:
        """Look up the caller and answer. If there is no caller, pass the reason on to the framework, which answers."""
        env, token, headers, given_id = request
        context = context_of(Request(scope))
        identifier = given_id or new_request_id()
        context.request_id = identifier
        found = await self._identify(env, token, scope, identifier)
        if isinstance(found, Caller) and not env.readiness.draining:
            await _send(scope, send, found, (REQUEST_ID_HEADER, identifier), headers)
            return
        context.identified = found
        try:
            await self._app(scope, receive, send)
        finally:
            context.identified = None  # otherwise a refusal's traceback and the request would refer to each other

    async def _identify(self, env: Env, token: str, scope: Scope, identifier: bytes) -> Identified:
        """Return the caller, or the exception that says why there is none. Meanwhile the connection is not cut, and log
        lines have the request id.
        """
        peer = peer_of(scope)
        self._in_flight.record(peer, Stage.WORKING)
        try:
            with log_request_id(identifier):
                return await identify(env, token)
        except Exception as reason:  # unexpected ones too: the framework raises them again, logs and answers
            return reason
        finally:
            self._in_flight.finish(peer)


async def _send(
    scope: Scope, send: Send, caller: Caller, request_id_header: RawHeader, headers: list[RawHeader]
) -> None:
    status, (own_headers, body) = _ANSWERS[scope["path"]](caller, scope)
    all_headers = [*own_headers, request_id_header, *headers]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})


def _is_plain(scope: Scope) -> bool:
    """Return whether the path has no percent-encoding, such as an encoded slash in a segment."""
    return b"%" not in (scope.get("raw_path") or b"")


def _has_body(read: ReadHeaders) -> bool:
    """Return whether a body follows the headers. This layer reads none (see `unread_body`)."""
    return b"transfer-encoding" in read or read.get(b"content-length", b"0") != b"0"


def _read_headers(headers: RawHeaders) -> ReadHeaders | None:
    """Return the headers that the fast path reads, or None if a header was sent twice. Only Cookie may be: HTTP/2
    splits that header (RFC 9113, section 8.2.3).
    """
    read: ReadHeaders = {}
    for name, content in headers:
        if name in _HEADERS_TO_READ:
            if name in read:
                if name != b"cookie":
                    return None
                read[name] += b"; " + content
            else:
                read[name] = content
    return read


def _me(caller: Caller, _scope: Scope) -> tuple[int, RawResponse]:
    response = caller.cached_responses.get("me")
    if response is None:
        body = me_content(caller)
        response = [_JSON_CONTENT_TYPE, (b"content-length", b"%d" % len(body))], body
        caller.cached_responses["me"] = response
    return 200, response


def _verify(caller: Caller, scope: Scope) -> tuple[int, RawResponse]:
    headers = caller_headers(caller, scope["headers"])
    return 204, ([(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()], b"")


_VERIFY_PATH = "/api/auth/verify"
_ANSWERS: dict[str, Callable[[Caller, Scope], tuple[int, RawResponse]]] = {
    "/api/users/me": _me,
    _VERIFY_PATH: _verify,
}
FAST_PATHS = frozenset(_ANSWERS)
"""Paths that this layer may answer before they are routed. The layers that measure requests need them."""
