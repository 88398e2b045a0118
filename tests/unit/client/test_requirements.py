"""What guards demand together, where they are not put on by a route alone, and by which clock they judge."""

import copy
import pickle
from datetime import timedelta
from functools import wraps
from typing import Annotated, Any

import litestar
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils.decorators import method_decorator
from django.views import View
from fastapi import APIRouter, Depends, FastAPI
from fastapi import WebSocket as FastSocket

from tests.harness.clock import ManualClock
from tests.unit.client.asking import AUTH, on_asgi
from tests.unit.client.django_site import configure_django
from tests.unit.client.knowing import Knowing
from tests.unit.client.test_websockets import opened
from vestibule.client import Caller, CannotTellError, InsufficientAuthenticationError, NotAllowedError, Verifier
from vestibule.client import litestar as for_litestar
from vestibule.client.django import require_level, require_recent, with_role
from vestibule.client.fastapi import CurrentUser
from vestibule.client.requirements import SIGNED_IN, Requirement, of_level, of_recency, of_roles
from vestibule.client.testing import SignedIn
from vestibule.client.token_clock import TokenClock
from vestibule.model.clock import SystemClock
from vestibule.protocol.authentication import Level

CODE = "insufficient_user_authentication"
configure_django()  # requests read its settings


def test_two_requirements_are_one_that_is_as_strict_as_both() -> None:
    one, other = of_roles(["admin", "editor"]) & of_recency(300), of_roles(["editor", "user"]) & of_level(2)
    assert one & other == other & one == Requirement(frozenset({"editor"}), Level.TWO_FACTORS, 300)
    assert of_recency(300) & of_recency(60) == of_recency(60)
    assert of_level(3) & of_level(2) == of_level(3)
    assert one & SIGNED_IN == SIGNED_IN & one == one
    with pytest.raises(NotAllowedError):
        (of_roles(["admin"]) & of_roles(["editor"])).check(Caller("ada", "admin", "s", 0, 0, {}))


def test_a_refusal_names_what_others_demand_and_they_refuse_nobody_by_themselves() -> None:
    caller = Caller("ada", "user", "s", 0, 0, {})
    of_level(1).check(caller, lambda: [of_level(3), of_roles(["admin"])])
    with pytest.raises(InsufficientAuthenticationError) as refused:
        of_level(2).check(caller, lambda: [of_level(3), of_recency(60)])
    assert (refused.value.acr_values, refused.value.max_age) == ("urn:vestibule:3", 60)
    assert refused.value.message == "Please sign in again with a passkey to do this"


def get(view: Any, vestibule: SignedIn, **how: Any) -> HttpResponse:
    token = vestibule.token_for("ada", **how)
    answer = view(RequestFactory().get("/", headers=vestibule.headers(token)))
    assert isinstance(answer, HttpResponse)
    return answer


def test_a_guard_that_is_not_reached_refuses_nobody(vestibule: SignedIn) -> None:
    def on_weekdays(view: Any) -> Any:
        return wraps(view)(lambda _request: HttpResponse("closed"))

    @with_role("user", "admin")
    @on_weekdays
    @require_level(2)
    def orders(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    assert get(orders, vestibule).content == b"closed"


def test_guards_of_a_class_of_views_ask_for_all_at_once(vestibule: SignedIn) -> None:
    @method_decorator([require_level(3), require_recent(300)], name="dispatch")
    class Orders(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse()

    view = with_role("user")(Orders.as_view())
    assert get(view, vestibule, level=3).status_code == 200
    refused = get(view, vestibule, authenticated_at=1)
    assert 'acr_values="urn:vestibule:3", max_age="300"' in refused.headers["WWW-Authenticate"]
    assert get(view, vestibule, role="guest", authenticated_at=1).status_code == 403


def test_a_router_of_fastapi_that_is_included_with_a_demand_keeps_to_it(vestibule: SignedIn) -> None:
    app, user, router = FastAPI(), CurrentUser(Verifier(**AUTH)), APIRouter()

    @router.get("/orders")
    async def orders(caller: Annotated[Caller, Depends(user.require_recent(300))]) -> int:
        return caller.level

    app.include_router(router, dependencies=[Depends(user.require_level(2))])
    ask = on_asgi(app)
    for level, age, status in ((2, 0, 200), (1, 0, 401), (2, 900, 401)):
        at = int(vestibule.clock.now().timestamp()) - age
        answer = ask("/orders", headers=vestibule.headers(vestibule.token_for("ada", level=level, authenticated_at=at)))
        assert answer.status_code == status


def fastapi_socket() -> Any:
    app, user = FastAPI(), CurrentUser(Verifier(**AUTH))

    @app.websocket("/ws")
    async def told(socket: FastSocket, caller: Annotated[Caller, Depends(user.require_level(2))]) -> None:
        await socket.accept()

    return app


def litestar_socket() -> Any:
    @litestar.websocket("/ws", guards=[for_litestar.require_level(2)])
    async def told(socket: litestar.WebSocket[Caller, str, Any]) -> None:
        await socket.accept()

    return litestar.Litestar([told], plugins=[for_litestar.VestibulePlugin(Verifier(**AUTH))])


@pytest.mark.parametrize("made", [fastapi_socket, litestar_socket])
async def test_k45_a_websocket_is_closed_with_the_code_before_it_is_accepted(made: Any, vestibule: SignedIn) -> None:
    app = made()
    (closed,) = await opened(app, vestibule.headers(vestibule.token_for("ada")))
    assert (closed["type"], closed["code"], closed["reason"]) == ("websocket.close", 1008, CODE)
    first, *_ = await opened(app, vestibule.headers(vestibule.token_for("ada", level=2)))
    assert first["type"] == "websocket.accept"


def signed_in(knowing: Knowing, age: int) -> Caller:
    at = int(knowing.clock.now().timestamp()) - age
    return knowing.memory.decide(knowing.token(authenticated_at=at))


@pytest.mark.parametrize(
    ("ahead", "age", "recent"), [(29, 300, True), (31, 300, False), (-29, 0, True), (-31, 0, False)]
)
def test_k45_a_clock_that_is_wrong_by_less_than_the_leeway_refuses_nobody(
    *, ahead: int, age: int, recent: bool
) -> None:
    knowing = Knowing()
    caller = signed_in(knowing, age)
    knowing.clock.set_ahead(timedelta(seconds=ahead))
    if recent:
        caller.require_recent(300)
    else:
        with pytest.raises(InsufficientAuthenticationError):
            caller.require_recent(300)


@pytest.mark.parametrize("ahead", [61, -61, 7200, -7200])
def test_k14_k45_a_clock_that_was_set_after_the_check_proves_nothing(ahead: int) -> None:
    """K14, K45: the refusal is 503, as at the next check; what is not about time is decided."""
    knowing = Knowing()
    caller = signed_in(knowing, 0)
    knowing.memory.clocks.note_offset(knowing.clock.now().timestamp() - knowing.clock.monotonic())
    caller.require_recent(300)
    knowing.clock.set_ahead(timedelta(seconds=ahead))
    with pytest.raises(CannotTellError):
        caller.require_recent(300)
    caller.require_level(1)
    caller.require("user")


@pytest.mark.parametrize("leeway", [0.0, 60.0])
def test_k45_the_leeway_is_that_of_the_verifier(leeway: float) -> None:
    clock, now = ManualClock(), int(ManualClock().now().timestamp())
    judged = TokenClock(leeway, clock)
    for moment, recent in ((now - 299 - int(leeway), True), (now - 300 - int(leeway), False)):
        assert judged.is_recent(moment, 300) is recent


def test_k45_a_caller_in_another_process_is_judged_by_its_clock_with_the_same_leeway() -> None:
    knowing, now = Knowing(), int(SystemClock().now().timestamp())
    caller = knowing.memory.decide(knowing.token(authenticated_at=now))
    elsewhere = pickle.loads(pickle.dumps(caller))  # made here
    elsewhere.require_recent(300)
    for judged in (caller, copy.copy(caller)):
        with pytest.raises(InsufficientAuthenticationError):  # by a clock that is a week behind
            judged.require_recent(300)
    strict, lenient = (pickle.loads(pickle.dumps(TokenClock(leeway, knowing.clock))) for leeway in (0.0, 60.0))
    assert not strict.is_recent(now - 310, 300)
    assert lenient.is_recent(now + 50, 300)
