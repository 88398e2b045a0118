"""The layer that answers two frequent GETs without the framework, from memory or after one look-up.

It answers exact paths only, and only with success. Every other request goes on to the framework. The guard of those
routes calls the same function, `flows.identify`, so both give the same answers. The result of a look-up is passed on
with the request, so nothing is looked up twice.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller, identify, identify_from_memory
from vestibule.model.errors import Refusal
from vestibule.protocol.cookies import RawHeaders
from vestibule.protocol.credentials import find_token_in
from vestibule.state.memory import Shown
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
Sent = dict[bytes, bytes]
"""The headers of a request that the fast path reads (`_READ`)."""
Asked = tuple[Env, str, list[RawHeader], bytes | None]
"""A request to answer: `Env`, access token, response headers for its origin, and the request id if a proxy gave one."""

_JSON = (b"content-type", b"application/json; charset=utf-8")
_READ = frozenset({b"host", b"origin", b"cookie", b"authorization", b"transfer-encoding", REQUEST_ID_HEADER})
_MAX_HOSTS = 64


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
        asked = self._read(scope)
        if asked is None:
            await self._app(scope, receive, send)
            return
        env, token, headers, given_id = asked
        caller = identify_from_memory(env, token)
        if caller is None:
            await self._look_up(asked, scope, receive, send)
        else:
            await _send(scope, send, caller, (REQUEST_ID_HEADER, given_id or new_request_id()), headers)

    def _read(self, scope: Scope) -> Asked | None:
        """Return the request, read in one pass over its headers; None if the framework has to answer it."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in _ANSWERS or not _is_plain(scope):
            return None
        env, sent = self._env_holder.env, _sent(scope["headers"])
        if env is None or env.readiness.draining or sent is None or b"transfer-encoding" in sent:
            return None
        headers = self._headers_by_origin.get(sent.get(b"origin"))
        token, _ = find_token_in(sent.get(b"authorization"), sent.get(b"cookie", b""), self._cookie_name)
        if headers is None or not token:
            return None
        try:
            if sent.get(b"host") not in self._hosts:
                self._require_our_host(sent)
            if scope["path"] == _VERIFY:
                check_forwarded(scope["headers"], self._web)
        except Refusal:
            return None
        given_id = request_id(scope, self._web) if REQUEST_ID_HEADER in sent else None
        return env, token, headers, given_id

    def _require_our_host(self, sent: Sent) -> None:
        """Raise a `Refusal` unless the Host header names this server. Hosts that were accepted are remembered."""
        check_host_and_framing(sent.items(), self._web)
        if len(self._hosts) < _MAX_HOSTS:
            self._hosts.add(sent[b"host"])

    async def _look_up(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Look up the caller and answer. If there is no caller, pass the reason on to the framework, which answers."""
        env, token, headers, given_id = asked
        context = context_of(Request(scope))
        context.request_id = identifier = given_id or new_request_id()
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


def _sent(headers: RawHeaders) -> Sent | None:
    """Return the headers that the fast path reads. None if one is sent twice; only Cookie may be (RFC 9113, section
    8.2.3).
    """
    sent: Sent = {}
    for name, content in headers:
        if name in _READ:
            if name in sent:
                if name != b"cookie":
                    return None
                sent[name] += b"; " + content
            else:
                sent[name] = content
    return sent


def _me(caller: Caller, _scope: Scope) -> tuple[int, Shown]:
    shown = caller.shown.get("me")
    if shown is None:
        body = me_content(caller)
        shown = caller.shown["me"] = [_JSON, (b"content-length", b"%d" % len(body))], body
    return 200, shown


def _verify(caller: Caller, scope: Scope) -> tuple[int, Shown]:
    headers = caller_headers(caller, scope["headers"])
    return 204, ([(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()], b"")


_VERIFY = "/api/auth/verify"
_ANSWERS: dict[str, Callable[[Caller, Scope], tuple[int, Shown]]] = {
    "/api/users/me": _me,
    _VERIFY: _verify,
}
FAST_PATHS = frozenset(_ANSWERS)
"""Paths that this layer may answer before they are routed. The layers that measure requests need them."""
