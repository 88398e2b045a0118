"""A form that is sent twice, as by a double click without a script, gets the same answer twice."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from tests.harness.forms import csrf_in, once_in
from tests.harness.world import World
from tests.stories.factors.codes import mailed_codes, verified
from tests.unit.web.authenticator_app import APP, CODES, begin, codes_in
from tests.unit.web.people import ada
from tests.unit.web.test_second_step_page import ada_with_app, at_second_step
from vestibule.model.letters import LetterKind
from vestibule.web.sent_forms import KEPT_FOR, MOST_FORMS, SentForms

pytestmark = pytest.mark.any_engine
OLD, NEW = "correct horse", "battery staple horse"
SECURITY = "/profile/security"
Form = tuple[httpx.AsyncClient, str, dict[str, str], str]
"""A browser, where it sends what, and where it is led."""


async def _signed(world: World, path: str, led: str, **fields: str) -> Form:
    client = await ada(world)
    return client, path, {"csrf": csrf_in(await client.get("/profile/name")), **fields}, led


async def _password(world: World) -> Form:
    fields = {"currentPassword": OLD, "password": NEW}
    return await _signed(world, f"{SECURITY}/password", f"{SECURITY}?notice=password_changed", **fields)


async def _confirm_email(world: World) -> Form:
    client = await ada(world)
    fields = {"csrf": csrf_in(await client.get("/profile/name")), "email": "new@example.com", "currentPassword": OLD}
    await client.post(f"{SECURITY}/email", data=fields)
    await world.deliver()
    path = f"/confirmemail/{world.secret(LetterKind.CONFIRM_NEW_EMAIL)}"
    return client, path, {"csrf": fields["csrf"]}, "/login?notice=email_changed"


async def _app(world: World) -> Form:
    client = await ada(world)
    page, app = await begin(client)
    fields = {"csrf": csrf_in(page), "code": app.at(world.clock.now())}
    return client, APP, fields, f"{CODES}?notice=app_added"


async def _new_codes(world: World) -> Form:
    client, app, _ = await ada_with_app(world)
    client = await at_second_step(world)
    await client.post("/login/second-step", data={"code": app.at(world.clock.now()), "by": "totp"})
    return client, f"{CODES}/new", {"csrf": csrf_in(await client.get("/profile/name"))}, CODES


async def _second_step(world: World) -> Form:
    _, app, _ = await ada_with_app(world)
    fields = {"code": app.at(world.clock.now()), "by": "totp"}
    return await at_second_step(world), "/login/second-step", fields, "/profile"


async def _mailed_code(world: World) -> Form:
    await verified(world)
    client = await world.client(None)
    await client.post("/login/email-code", data={"email": "ada@example.com"})
    await world.deliver()
    return client, "/login/email-code/enter", {"code": mailed_codes(world)[-1]}, "/profile"


async def _unknown(world: World, path: str, led: str, **fields: str) -> Form:
    """A browser without a cookie."""
    client = await world.client(None)
    return client, path, {"once": once_in(await client.get(path)), **fields}, led


async def _ask_for_code(world: World) -> Form:
    await verified(world)
    return await _unknown(world, "/login/email-code", "/login/email-code/enter", email="ada@example.com")


async def _sign_in(world: World) -> Form:
    await world.register()
    return await _unknown(world, "/login", "/profile", email="ada@example.com", password=OLD)


async def _sign_up(world: World) -> Form:
    fields = {"name": "Ada", "email": "ada@example.com", "password": OLD}
    return await _unknown(world, "/register", "/profile?notice=signed_up", **fields)


async def _verify(world: World) -> Form:
    await world.register()
    return await _unknown(world, f"/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}", "/login?notice=verified")


async def _reset(world: World) -> Form:
    await world.register()
    client = await world.client(None)
    await client.post("/forgotpassword", data={"email": "ada@example.com"})
    await world.deliver()
    path = f"/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    return await _unknown(world, path, "/login?notice=password_reset", password=NEW)


async def _delete(world: World) -> Form:
    return await _signed(world, "/profile/delete", "/signedout?reason=deleted", currentPassword=OLD)


async def _sign_out(world: World) -> Form:
    return await _signed(world, "/logout", "/signedout?reason=signed_out")


FORMS = {
    "change password": _password,
    "confirm email": _confirm_email,
    "turn app on": _app,
    "new recovery codes": _new_codes,
    "second step": _second_step,
    "ask for a code": _ask_for_code,
    "mailed code": _mailed_code,
    "sign in": _sign_in,
    "sign up": _sign_up,
    "verify": _verify,
    "reset": _reset,
    "delete account": _delete,
    "sign out": _sign_out,
}


def _by_browser(client: httpx.AsyncClient, path: str, fields: dict[str, str]) -> httpx.Request:
    return client.build_request(
        "POST", path, data=fields, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    )


async def _send_twice(
    client: httpx.AsyncClient, path: str, fields: dict[str, str], *, at_once: bool = False
) -> tuple[httpx.Response, httpx.Response]:
    """Send the form, and the same again with the cookies that the browser had; the answers to both."""
    request = _by_browser(client, path, fields)
    twin = httpx.Request("POST", request.url, headers=request.headers, content=request.content)
    if at_once:
        first, second = await asyncio.gather(client.send(request), client.send(twin))
        return first, second
    return await client.send(request), await client.send(twin)


@pytest.mark.parametrize("at_once", [True, False], ids=["at_once", "one_after_the_other"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_both_get_the_same_answer(world: World, form: Callable[[World], Awaitable[Form]], at_once: bool) -> None:
    client, path, fields, led = await form(world)
    first, second = await _send_twice(client, path, fields, at_once=at_once)
    for answer in (first, second):
        assert (answer.status_code, answer.headers["location"].partition("&")[0]) == (303, led)
    assert second.headers.get_list("set-cookie") == first.headers.get_list("set-cookie")


async def test_recovery_codes_are_not_lost_to_a_double_click(world: World) -> None:
    client, path, fields, _ = await _app(world)
    await _send_twice(client, path, fields)
    assert len(codes_in((await client.get(CODES)).text)) == 10


async def test_who_changed_a_password_stays_signed_in(world: World) -> None:
    client, path, fields, led = await _password(world)
    await _send_twice(client, path, fields)
    assert "Your password was changed" in (await client.get(led)).text


async def test_after_ten_seconds_or_another_form_it_is_a_form_of_its_own(world: World) -> None:
    client, path, fields, _ = await _password(world)
    request = _by_browser(client, path, fields)
    twin = httpx.Request("POST", request.url, headers=request.headers, content=request.content)
    await client.send(request)
    world.clock.advance(seconds=KEPT_FOR.total_seconds() + 1)
    assert (await client.send(twin)).headers["location"] == "/signedout?reason=password_changed"

    client = await world.sign_in(password=NEW)
    page, app = await begin(client)
    fields = {"csrf": csrf_in(page), "code": app.at(world.clock.now())}
    for form in (fields, {**fields, "code": "000000"}, fields):
        answer = await client.send(_by_browser(client, APP, form))
    assert "notice" not in answer.headers["location"]


async def test_a_refused_form_is_looked_at_again(world: World) -> None:
    client, path, fields, _ = await _password(world)
    wrong = {**fields, "currentPassword": "wrong horse"}
    events = []
    for _ in range(2):
        answer = await client.send(_by_browser(client, path, wrong))
        events.append(answer.headers["location"])
        client.cookies.delete("refused_form")
    assert events == [path, path]
    export = (await client.get("/profile/data")).json()
    assert sum(event["kind"] == "sign_in_refused" for event in export["events"]) == 2


async def test_another_browser_or_network_gets_an_answer_of_its_own(world: World) -> None:
    client, path, fields, _ = await _app(world)
    request = _by_browser(client, path, fields)
    other = httpx.Request("POST", request.url, headers=request.headers, content=request.content)
    other.headers["User-Agent"] = "another browser"
    await client.send(request)
    answer = await client.send(other)
    assert answer.headers["location"] != f"{CODES}?notice=app_added"


async def test_programs_are_answered_as_before(world: World) -> None:
    client, path, fields, _ = await _password(world)
    cookie = "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)
    await client.post(path, data=fields, headers={"Cookie": cookie})
    answer = await client.post(path, data=fields, headers={"Cookie": cookie})
    assert answer.headers["location"] == "/signedout?reason=password_changed"


async def test_a_first_form_that_fails_is_no_answer_to_the_second(world: World) -> None:
    forms, now = SentForms(), world.clock.now()

    async def fails() -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await forms.remember(b"page", b"form", now, fails)
    assert await forms.repeated(b"page", b"form", now) is None


async def test_no_more_forms_are_remembered_than_there_may_be(world: World) -> None:
    forms, now = SentForms(), world.clock.now()

    async def nothing() -> tuple[()]:
        return ()

    for number in range(MOST_FORMS + 1):
        await forms.remember(str(number).encode(), b"form", now, nothing)
    assert await forms.repeated(b"0", b"form", now) is None
    assert await forms.repeated(b"1", b"form", now) == ()
    await forms.remember(b"later", b"form", now + KEPT_FOR + timedelta(seconds=1), nothing)
    assert await forms.repeated(b"1", b"form", now) is None
