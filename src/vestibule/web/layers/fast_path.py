"""The fast path: answers the few hot reads from memory, before the framework is woken.

It serves exact paths, on a hit and without any I/O. Everything else, every refusal and every doubt goes on to the
framework, whose handlers ask the same function (`flows.identify`) and give the same answers.
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from vestibule.flows.identify import Caller, identify_from_memory
from vestibule.model.errors import Refusal
from vestibule.web.api.me import me_content
from vestibule.web.caller import presented_token
from vestibule.web.hosts import require_one_reading
from vestibule.web.in_front import judge, told
from vestibule.web.layers.headers import headers_for
from vestibule.web.policy import WebPolicy
from vestibule.web.request_ids import NAME, request_id
from vestibule.web.site import LateEnv

RawHeader = tuple[bytes, bytes]
_JSON = (b"content-type", b"application/json; charset=utf-8")


class FastPath:
    """Wraps the whole application, with every other layer."""

    def __init__(self, app: ASGIApp, late: LateEnv, web: WebPolicy) -> None:
        self._app = app
        self._late = late
        self._web = web
        self._headers = {origin.encode(): headers_for(origin, web.secure_cookies) for origin in web.origins}
        self._headers_without_origin = headers_for(None, web.secure_cookies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in _ANSWERS and _as_it_is(scope):
            headers_around = self._headers_around(scope)
            caller = self._caller(scope) if headers_around is not None else None
            if caller is not None and headers_around is not None:
                status, headers, content = _ANSWERS[scope["path"]](caller, scope)
                named = (NAME, request_id(scope, self._web))
                start = {"type": "http.response.start", "status": status}
                await send({**start, "headers": [*headers, named, *headers_around]})
                await send({"type": "http.response.body", "body": content})
                return
        await self._app(scope, receive, send)

    def _caller(self, scope: Scope) -> Caller | None:
        env = self._late.env
        if env is None or env.readiness.draining:
            return None
        try:
            if require_one_reading(scope["headers"], self._web):
                return None
            if scope["path"] == _VERIFY:
                judge(scope["headers"], self._web)
            return identify_from_memory(env, presented_token(scope["headers"], self._web))
        except Refusal:
            return None

    def _headers_around(self, scope: Scope) -> list[RawHeader] | None:
        """What every answer carries, for a listed origin or for none; None for one that is not listed."""
        for name, value in scope["headers"]:
            if name == b"origin":
                return self._headers.get(value)
        return self._headers_without_origin


def _as_it_is(scope: Scope) -> bool:
    """Whether nothing in the path is encoded, such as a slash that is none."""
    return b"%" not in (scope.get("raw_path") or b"")


def _me(caller: Caller, _scope: Scope) -> tuple[int, list[RawHeader], bytes]:
    content = caller.known.shown.get("me")
    if content is None:
        content = caller.known.shown["me"] = me_content(caller)
    return 200, [_JSON, (b"content-length", str(len(content)).encode())], content


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
