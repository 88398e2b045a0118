"""Answer `GET /api/users/me` in a project's own tests, where no Vestibule runs, so that `email_of` works there.

Only requests with a token of the testing aid are answered here. All others go where they went.
"""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CallerRefusedError

_PATH = "/api/users/me"
_SCHEME, _WHEN = "Bearer ", "2026-01-01T00:00:00.000Z"
_FIELDS = {"photo": "default.png", "createdAt": _WHEN, "updatedAt": _WHEN, "provider": None}


def answer_profiles(
    emails: Mapping[str, str], decide: Callable[[str], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Have every httpx client answer for the tokens in `emails`, until the test is over. `decide` returns the caller of
    a token, or raises the refusal to answer with.
    """
    in_threads, in_tasks = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request

    def answer(request: httpx.Request) -> httpx.Response | None:
        token = request.headers.get("Authorization", "").removeprefix(_SCHEME)
        asks = (request.method, request.url.path) == ("GET", _PATH)
        return _profile(token, emails[token], decide) if asks and token in emails else None

    def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        return answer(request) or in_threads(transport, request)

    async def handle_async(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        return answer(request) or await in_tasks(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle_async)


def _profile(token: str, email: str, decide: Callable[[str], Caller]) -> httpx.Response:
    try:
        caller = decide(token)
    except CallerRefusedError as refusal:
        return httpx.Response(refusal.status, headers=refusal.headers, json=refusal.body)
    user: dict[str, Any] = {"id": caller.id, "name": caller.id, "email": email, "role": caller.role, **_FIELDS}
    acting = {} if caller.actor is None else {"actor": {"id": caller.actor}}
    return httpx.Response(200, json={"status": "success", "data": {"user": user, **acting}})
