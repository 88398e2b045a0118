"""Litestar's plugin: what stops the start, what a guard says that nothing stands in front of, and websockets."""

from typing import Any

import litestar
import pytest
from litestar import Litestar, Request, WebSocket, get
from litestar.exceptions import HTTPException, ImproperlyConfiguredException

from tests.harness.clock import ManualClock
from tests.unit.client.asking import AUTH, on_asgi
from tests.unit.client.test_websockets import is_closed, is_let_in, opened
from vestibule.client import Caller, Verifier
from vestibule.client import litestar as for_litestar
from vestibule.client.litestar import VestibulePlugin, caller_of, with_role
from vestibule.client.testing import SignedIn
from vestibule.client.throttled_warnings import EVERY_SECONDS, ThrottledWarnings


@get("/admin", guards=[with_role("admin")])
async def admin() -> str:
    return "for admins"


@get("/health", exclude_from_auth=True, guards=[with_role("admin")])
async def health() -> str:
    return ""


@get("/{number:int}/admin", guards=[with_role("admin")])
async def numbered() -> str:
    return "for admins"


@litestar.websocket("/ws", guards=[with_role("admin")])
async def ws(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()


@pytest.mark.parametrize(
    ("handler", "options"),
    [(admin, {"exclude": "admin"}), (admin, {"exclude": ["^/x", "^/adm"]}), (health, {}), (ws, {"exclude": ["ws"]})],
)
def test_it_does_not_start_with_a_guard_that_nothing_stands_in_front_of(handler: Any, options: Any) -> None:
    with pytest.raises(
        ImproperlyConfiguredException,
        match=r"guard of with_role, require_permission, require_level or require_recent, and is excluded",
    ):
        Litestar([handler], plugins=[VestibulePlugin(Verifier(**AUTH), **options)])


def test_a_pattern_that_only_some_requests_match_does_not_stop_it(vestibule: SignedIn) -> None:
    ask = on_asgi(Litestar([numbered], plugins=[VestibulePlugin(Verifier(**AUTH), exclude="^/0/|number")]))
    assert ask("/1/admin", headers=vestibule.headers(vestibule.token_for("ada", role="admin"))).text == "for admins"
    assert ask("/0/admin").status_code == 401


def test_a_guard_without_plugin_and_middleware_lets_nobody_in_and_says_what_to_do(
    vestibule: SignedIn, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    monkeypatch.setattr(for_litestar, "_warnings", ThrottledWarnings(clock))  # nothing was said a moment ago
    headers = vestibule.headers(vestibule.token_for("ada", role="admin"))
    ask = on_asgi(Litestar([admin], logging_config=None))
    for minute in (1, 2):
        assert [ask("/admin", headers=headers).status_code for _ in range(2)] == [500, 500]
        assert caplog.text.count("add VestibulePlugin(verifier) to the plugins") == minute
        clock.advance(seconds=EVERY_SECONDS)


async def test_k20_a_websocket_has_the_caller(vestibule: SignedIn) -> None:
    @litestar.websocket("/ws")
    async def told(socket: WebSocket[Caller, str, Any]) -> None:
        caller = caller_of(socket)
        await socket.accept()
        await socket.send_text(caller.id)
        await socket.close()

    headers = vestibule.headers(vestibule.token_for("ada"))
    assert is_let_in(await opened(Litestar([told], plugins=[VestibulePlugin(Verifier(**AUTH))]), headers))
    unchecked = Litestar([told], plugins=[VestibulePlugin(Verifier(**AUTH), exclude="ws")])
    assert is_closed(await opened(unchecked, headers))


def test_a_refusal_that_a_handler_raises_is_answered_and_one_that_it_catches_is_not(vestibule: SignedIn) -> None:
    @get("/raises")
    async def raises(request: Request[Caller, str, Any]) -> str:
        request.user.require("admin")
        return ""

    @get("/catches", exclude_from_auth=True)
    async def catches(request: Request[Any, Any, Any]) -> str:
        try:
            return caller_of(request).id
        except HTTPException:
            return "somebody"

    ask = on_asgi(Litestar([raises, catches], plugins=[VestibulePlugin(Verifier(**AUTH))]))
    answer = ask("/raises", headers=vestibule.headers(vestibule.token_for("ada")))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert "insufficient_scope" in answer.headers["www-authenticate"]
    assert (ask("/catches").status_code, ask("/catches").text) == (200, "somebody")
