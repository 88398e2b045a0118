"""Every event that a request causes names it, recorded at once or when the letter is sent that the request queued."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from tests.harness.authenticator import Authenticator, Lie
from tests.harness.forms import csrf_in
from tests.harness.mailer import CatchingMailer
from tests.harness.world import World
from tests.stories.factors.apps import enrol
from tests.stories.factors.resets import RESET, an_owner, by_operator
from tests.stories.passkeys import MINE, add, sign_in
from tests.unit.flows import DONE, ask_for_change, ask_for_reset, click, confirm, reset, twice, verify
from tests.unit.web.people import ada
from vestibule.flows.deliver import deliver_next
from vestibule.flows.invite import invite
from vestibule.model.events import EventKind
from vestibule.model.factor_resets import OPERATOR_WAIT
from vestibule.model.letters import Letter, LetterKind, NotSent, RefusedForGood
from vestibule.model.operators import COMMAND_LINE

ADA, NEW, ELSEWHERE = "ada@example.com", "countess@example.com", ("198.51.100.9", 4711)
PASSWORD = "correct horse"
OF_COMMANDS = {
    EventKind.ACTING_BEGUN,
    EventKind.ACCOUNT_DISABLED,
    EventKind.ACCOUNT_ENABLED,
    EventKind.ROLE_CHANGED,
    EventKind.ROLES_CHANGED,
    EventKind.ROLE_CREATED,
    EventKind.ROLE_PERMISSIONS_CHANGED,
    EventKind.ROLE_DELETED,
    EventKind.SESSIONS_ENDED,
    EventKind.ACCOUNT_UNLOCKED,
    EventKind.FACTOR_RESET_BEGUN,
    EventKind.LINK_MAILED,
    EventKind.INVITED,
    EventKind.SIGNING_KEY_ROTATED,
    EventKind.SIGNING_KEY_WITHDRAWN,
    EventKind.IMPORTED,
    EventKind.SERVICE_CREATED,
    EventKind.SERVICE_REVOKED,
    EventKind.LETTERS_RETRIED,
    EventKind.DATA_EXPORTED,
}
Act = Callable[[World], Awaitable[Any]]


class Failing(CatchingMailer):
    """A mailer that hands nothing over."""

    fault: NotSent = NotSent("busy")

    async def send(self, letter: Letter) -> str:
        raise self.fault


async def deliver_in_vain(world: World, fault: NotSent) -> None:
    """What the mail worker does when the mail server says no."""
    mailer = Failing(world.clock)
    mailer.fault = fault
    await deliver_next(replace(world.env, mailer=mailer))


async def registers(world: World) -> None:
    await world.register()
    again = {"name": "Eve", "email": ADA, **twice("battery staple")}
    assert (await (await world.client()).post("/api/auth/register", json=again)).status_code == 409


async def signs_in_and_out(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    wrong = {"email": ADA, "password": "wrong wrong"}
    assert (await (await world.client()).post("/api/auth/login", json=wrong)).status_code == 400
    assert (await browser.post("/api/auth/logout")).status_code == 200


async def is_mailed(world: World) -> None:
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    await ask_for_reset(world)
    await world.deliver()
    assert await reset(world, world.secret(LetterKind.RESET_PASSWORD)) == 200


async def signs_in_by_a_code(world: World) -> None:
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    browser, at = await world.client(), "/api/auth/email-code"
    assert (await browser.post(at, json={"email": ADA})).status_code == 200
    await world.deliver()
    assert (await browser.post(f"{at}/verify", json={"code": "00000000"})).status_code == 403


async def changes_the_password(world: World) -> None:
    await world.register()
    body = {"currentPassword": PASSWORD, **twice("battery staple")}
    assert (await (await world.sign_in()).patch("/api/users/me/password", json=body)).status_code == 200


async def steps_up(world: World) -> None:
    await world.register()
    answer = await (await world.sign_in()).post("/api/users/me/step-up", json={"password": PASSWORD})
    assert answer.status_code == 200


async def has_a_passkey(world: World) -> None:
    await world.register()
    browser, authenticator = await world.sign_in(), Authenticator()
    added = (await add(browser, authenticator)).json()["data"]
    other, second = await world.client(), "/api/auth/login/second-factor"
    assert (await other.post("/api/auth/login", json={"email": ADA, "password": PASSWORD})).status_code == 403
    for code, status in (("000000", 403), (added["recovery_codes"][0], 200)):
        assert (await other.post(second, json={"code": code})).status_code == status
    for _ in range(2):
        assert (await sign_in(browser, authenticator, Lie(count=7))).status_code == 200
    assert (await browser.post("/api/users/me/factors/recovery-codes")).status_code == 200
    assert (await browser.delete(f"{MINE}/{added['passkey']['id']}")).status_code == 200


async def keeps_and_loses_factors(world: World) -> None:
    """An operator begins it; requests cancel it once, and carry it out the next time."""
    owner = await an_owner(world)
    await by_operator(world)
    assert (await owner.browser.delete(RESET)).status_code == 200
    await by_operator(world)
    world.clock.advance(seconds=OPERATOR_WAIT.total_seconds())
    await world.sign_in()


async def changes_the_name(world: World) -> None:
    await world.register()
    assert (await (await world.sign_in()).patch("/api/users/me", json={"name": "Countess"})).status_code == 200


async def moves_and_comes_back(world: World) -> None:
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    browser = await world.sign_in()
    assert await ask_for_change(browser, NEW) == 200
    await world.deliver()
    await world.register(NEW, "squatting here")
    assert await confirm(browser, world.secret(LetterKind.CONFIRM_NEW_EMAIL)) == DONE
    await world.deliver()
    assert await click(world, f"/undoemail/{world.secret(LetterKind.EMAIL_CHANGED)}") == DONE


async def is_refreshed_by_another(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    stolen = {"Cookie": f"refresh_token={browser.cookies['refresh_token']}"}
    transport = httpx.ASGITransport(world.app, client=ELSEWHERE)
    assert (await browser.post("/api/auth/refresh")).status_code == 200
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as thief:
        thief.headers["User-Agent"] = "another program"
        assert (await thief.post("/api/auth/refresh", headers=stolen)).status_code == 200
        world.clock.advance(minutes=1)
        assert (await browser.post("/api/auth/refresh")).status_code == 200
        world.clock.advance(minutes=1)
        assert (await browser.post("/api/auth/refresh")).status_code == 200
        assert (await thief.post("/api/auth/refresh", headers=stolen)).status_code == 403


async def says_it_was_not_me(world: World) -> None:
    client = await ada(world)
    await client.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    await enrol(world, await world.sign_in())
    await world.deliver()
    assert await click(world, f"/removefactor/{world.secret(LetterKind.FACTOR_ADDED)}") == DONE


async def accepts_an_invitation(world: World) -> None:
    await invite(world.env, COMMAND_LINE, "Grace", "grace@example.com")
    await world.deliver()
    link, form = f"/invitation/{world.secret(LetterKind.INVITATION)}", {"password": "another battery"}
    assert (await (await world.client()).post(link, data=form)).status_code == DONE


async def leaves(world: World) -> None:
    client = await ada(world)
    form = {"csrf": csrf_in(await client.get("/profile/delete")), "currentPassword": PASSWORD}
    assert (await client.post("/profile/delete", data=form)).status_code == DONE


async def cannot_be_written_to(world: World) -> None:
    await world.register()
    await ask_for_reset(world)
    await deliver_in_vain(world, NotSent("busy"))
    world.clock.advance(minutes=1)
    await deliver_in_vain(world, RefusedForGood("550 no such mailbox"))


STORIES: dict[Act, set[EventKind]] = {
    registers: {EventKind.REGISTERED, EventKind.REGISTRATION_REFUSED},
    signs_in_and_out: {EventKind.SIGNED_IN, EventKind.SIGN_IN_REFUSED, EventKind.SESSION_ENDED},
    is_mailed: {EventKind.EMAIL_VERIFIED, EventKind.PASSWORD_RESET_REQUESTED, EventKind.PASSWORD_RESET},
    signs_in_by_a_code: {EventKind.EMAIL_CODE_REQUESTED, EventKind.EMAIL_CODE_REFUSED},
    steps_up: {EventKind.STEPPED_UP},
    has_a_passkey: {
        *(EventKind.FACTOR_ADDED, EventKind.FACTOR_REMOVED),
        *(EventKind.RECOVERY_CODES_MADE, EventKind.PASSKEY_MAY_BE_COPIED),
        *(EventKind.SECOND_FACTOR_REFUSED, EventKind.RECOVERY_CODE_USED),
    },
    keeps_and_loses_factors: {EventKind.FACTOR_RESET_CANCELED, EventKind.FACTORS_RESET},
    accepts_an_invitation: {EventKind.INVITATION_ACCEPTED},
    says_it_was_not_me: {EventKind.FACTOR_REPORTED},
    changes_the_name: {EventKind.NAME_CHANGED},
    changes_the_password: {EventKind.PASSWORD_CHANGED},
    moves_and_comes_back: {EventKind.EMAIL_CHANGED, EventKind.EMAIL_TAKEN_BACK, EventKind.SQUATTER_REMOVED},
    is_refreshed_by_another: {EventKind.SESSION_SHARED, EventKind.REFRESH_TOKEN_REUSED},
    leaves: {EventKind.ACCOUNT_DELETED},
    cannot_be_written_to: {EventKind.LETTER_REFUSED},
}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_l1_every_event_of_a_request_has_its_id(world: World, story: Act) -> None:
    """L1: what is recorded carries the id by itself, and not only the line of the log."""
    with capture_logs() as lines:
        await story(world)
    told = {line["event"]: line for line in lines if line["event"] in set(EventKind)}
    assert STORIES[story] <= set(told)
    of_requests = set(EventKind) - OF_COMMANDS
    assert [line for line in lines if line["event"] in of_requests and not line.get("request_id")] == []


def test_l1_no_kind_of_event_is_left_out() -> None:
    told = set[EventKind]().union(*STORIES.values())
    assert told | OF_COMMANDS == set(EventKind)
    assert not told & OF_COMMANDS


async def test_the_mail_worker_says_which_request_a_letter_is_of(world: World) -> None:
    await world.register()
    asked = (await ask_for_reset(world)).headers["X-Request-ID"]
    with capture_logs(processors=[merge_contextvars]) as lines:
        await deliver_in_vain(world, NotSent("busy"))
    assert {line["event"]: line["request_id"] for line in lines} == {
        "password_reset_requested": asked,
        "letter_put_off": asked,
    }
    assert get_contextvars() == {}
