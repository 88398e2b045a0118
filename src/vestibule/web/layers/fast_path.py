"""The fast path: answers the few hot reads before the framework is woken, from memory or after one look-up.

It serves exact paths. Every refusal and every doubt goes on to the framework, together with what was found out, so that
its handlers, which ask the same function (`flows.identify`), give the same answers and ask nothing twice.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller, identify, identify_from_memory
from vestibule.model.errors import Refusal
from vestibule.protocol.cookies import RawHeaders
from vestibule.web.api.me import me_content
from vestibule.web.caller import presented_token
from vestibule.web.hosts import require_one_reading
from vestibule.web.in_front import judge, told
from vestibule.web.layers.headers import headers_for
from vestibule.web.request_context import Identified, context_of
from vestibule.web.request_ids import NAME, known_by, new_request_id, request_id
from vestibule.web.site import Site
from vestibule.web.under_way import Stage, peer_of

RawHeader = tuple[bytes, bytes]
Said = dict[bytes, bytes]
Asked = tuple[Env, str, list[RawHeader], bytes | None]
"""The token that was sent, the headers around every answer to its origin, and an id if a proxy gave one."""

_JSON = (b"content-type", b"application/json; charset=utf-8")
_READ = frozenset({b"host", b"origin", b"cookie", b"authorization", b"transfer-encoding", NAME})
_MOST_HOSTS = 64


class FastPath:
    """Wraps the whole application, with every other layer."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._late = site.late
        self._web = site.web
        self._under_way = site.under_way
        secure = site.web.secure_cookies
        self._headers: dict[bytes | None, list[RawHeader]] = {
            origin.encode() if origin else None: headers_for(origin, secure) for origin in (None, *site.web.origins)
        }
        self._hosts: set[bytes | None] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._asked(scope)
        if asked is None:
            await self._app(scope, receive, send)
            return
        env, token, around, named = asked
        caller = identify_from_memory(env, token)
        if caller is None:
            await self._ask(asked, scope, receive, send)
        else:
            await _send(scope, send, caller, (NAME, named or new_request_id()), around)

    def _asked(self, scope: Scope) -> Asked | None:
        """Read the request in one pass over its headers; None if the framework has to say something about it."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in _ANSWERS or not _as_it_is(scope):
            return None
        env, said = self._late.env, _said(scope["headers"])
        if env is None or env.readiness.draining or said is None or b"transfer-encoding" in said:
            return None
        around = self._headers.get(said.get(b"origin"))
        if around is None or not self._is_ours(said):
            return None
        try:
            if scope["path"] == _VERIFY:
                judge(scope["headers"], self._web)
            token = presented_token(said.items(), self._web)
        except Refusal:
            return None
        return env, token, around, request_id(scope, self._web) if NAME in said else None

    def _is_ours(self, said: Said) -> bool:
        """Return whether the Host header names this server; each way to write it is judged once."""
        host = said.get(b"host")
        if host in self._hosts:
            return True
        try:
            require_one_reading(said.items(), self._web)
        except Refusal:
            return False
        if host is not None and len(self._hosts) < _MOST_HOSTS:
            self._hosts.add(host)
        return True

    async def _ask(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer after a look-up; pass its result to the framework where the framework has to answer."""
        env, token, around, named = asked
        context = context_of(Request(scope))
        context.request_id = named = named or new_request_id()
        found = await self._found(env, token, scope, named)
        if isinstance(found, Caller) and not env.readiness.draining:
            await _send(scope, send, found, (NAME, named), around)
            return
        context.identified = found
        try:
            await self._app(scope, receive, send)
        finally:
            context.identified = None  # a refusal's traceback keeps the request, and that would keep the refusal

    async def _found(self, env: Env, token: str, scope: Scope, named: bytes) -> Identified:
        """Return the caller, or why there is none. Meanwhile the connection is not cut, and log lines have the id."""
        peer = peer_of(scope)
        self._under_way.at(peer, Stage.WORKING)
        try:
            with known_by(named):
                return await identify(env, token)
        except Exception as reason:  # what nobody foresaw too: the framework raises, logs and answers it
            return reason
        finally:
            self._under_way.over(peer)


async def _send(scope: Scope, send: Send, caller: Caller, named: RawHeader, around: list[RawHeader]) -> None:
    status, headers, content = _ANSWERS[scope["path"]](caller, scope)
    await send({"type": "http.response.start", "status": status, "headers": [*headers, named, *around]})
    await send({"type": "http.response.body", "body": content})


def _as_it_is(scope: Scope) -> bool:
    """Return whether nothing in the path is encoded, such as a slash that is part of a segment."""
    return b"%" not in (scope.get("raw_path") or b"")


def _said(headers: RawHeaders) -> Said | None:
    """Return the headers that the fast path reads; None if one except Cookie comes twice (RFC 9113, section 8.2.3)."""
    said: Said = {}
    for name, content in headers:
        if name in _READ:
            if name in said:
                if name != b"cookie":
                    return None
                said[name] += b"; " + content
            else:
                said[name] = content
    return said


def _me(caller: Caller, _scope: Scope) -> tuple[int, list[RawHeader], bytes]:
    content = caller.known.shown.get("me")
    if content is None:
        content = caller.known.shown["me"] = me_content(caller)
    return 200, [_JSON, (b"content-length", b"%d" % len(content))], content


def _verify(caller: Caller, scope: Scope) -> tuple[int, list[RawHeader], bytes]:
    headers = told(caller, scope["headers"])
    return 204, [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()], b""


_VERIFY = "/api/auth/verify"
_ANSWERS: dict[str, Callable[[Caller, Scope], tuple[int, list[RawHeader], bytes]]] = {
    "/api/users/me": _me,
    _VERIFY: _verify,
}
PATHS = frozenset(_ANSWERS)
"""What is answered before it is routed."""
