"""Another email: only with the password, only from the new mailbox, and with a way back that a thief cannot close."""

import asyncio
from collections import Counter
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import func, select, update

from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import POLICY, World, world_on
from tests.unit.flows import (
    DONE,
    EMAIL,
    PASSWORD,
    ask_for_change,
    ask_for_reset,
    click,
    confirm,
    reset,
    sign_in_status,
    verify,
)
from vestibule.model.letters import LetterKind
from vestibule.model.limits import LetterLimits
from vestibule.storage.sql.schema import accounts, events

NEW, THIRD = "countess@example.com", "thief@example.com"
CONFIRM, CHANGED, TAKEN = LetterKind.CONFIRM_NEW_EMAIL, LetterKind.EMAIL_CHANGED, LetterKind.EMAIL_TAKEN
DONE_AT = {CONFIRM: "/login?notice=email_changed_told", CHANGED: "/checkemail?about=taken_back"}
RESET, VERIFY = LetterKind.RESET_PASSWORD, LetterKind.VERIFY_EMAIL


@pytest.fixture
async def ada(world: World) -> httpx.AsyncClient:
    """Ada's browser. Her email is verified."""
    await world.register()
    assert await verify(world, world.secret(VERIFY)) == 200
    return await world.sign_in()


async def change(world: World, browser: httpx.AsyncClient, email: str) -> None:
    """The whole change, except the letter to the old email, which is queued."""
    assert await ask_for_change(browser, email) == 200
    await world.deliver()
    assert await confirm(browser, world.secret(CONFIRM)) == DONE


async def test_m10_nothing_changes_before_the_new_mailbox_confirms(world: World, ada: httpx.AsyncClient) -> None:
    assert await ask_for_change(ada, NEW, "wrong password") == 403
    assert await ask_for_change(ada, NEW) == 200
    await world.deliver()
    letter = world.mailer.letters[-1]
    assert (letter.kind, letter.to) == (CONFIRM, NEW)
    assert letter.link.startswith("http://localhost:8000/confirmemail/")
    assert (await ada.get("/api/users/me")).json()["data"]["user"]["email"] == EMAIL
    assert await sign_in_status(world, NEW) == 400
    assert await sign_in_status(world) == 200


async def test_m10_confirming_moves_the_sign_in_ends_every_session_and_tells_the_old_email(
    world: World, ada: httpx.AsyncClient
) -> None:
    await change(world, ada, NEW)
    assert (await ada.get("/api/users/me")).json()["code"] == "session_email_changed"
    assert (await sign_in_status(world), await sign_in_status(world, NEW)) == (400, 200)
    await world.deliver()
    told = next(letter for letter in world.mailer.letters if letter.kind is CHANGED)
    assert told.to == EMAIL
    assert told.link.startswith("http://localhost:8000/undoemail/")
    assert await confirm(await world.sign_in(NEW), world.secret(CONFIRM)) == 403


@pytest.mark.parametrize("verified", [True, False])
async def test_the_page_says_that_the_old_email_was_told_only_where_it_is(world: World, verified: bool) -> None:
    await world.register()
    if verified:
        assert await verify(world, world.secret(VERIFY)) == 200
    browser = await world.sign_in()
    assert await ask_for_change(browser, NEW) == 200
    await world.deliver()
    path = f"/confirmemail/{world.secret(CONFIRM)}"
    done = await browser.post(path, data={"csrf": csrf_in(await browser.get(path))})
    await world.deliver()
    told = any(letter.kind is CHANGED for letter in world.mailer.letters)
    page = await browser.get(done.headers["location"])
    assert "Your email address was changed." in page.text
    assert ("We also sent a notice to the old one." in page.text, told) == (verified, verified)


async def test_m1_a_token_from_before_the_change_is_dead_after_it(world: World, ada: httpx.AsyncClient) -> None:
    await ask_for_reset(world)
    await change(world, ada, NEW)
    assert await reset(world, world.secret(RESET)) == 403


async def test_m10_the_old_email_takes_the_account_back_and_nothing_of_the_thiefs_is_left(
    world: World, ada: httpx.AsyncClient
) -> None:
    await change(world, ada, NEW)
    thief = await world.sign_in(NEW)
    await world.deliver()
    undo = world.secret(CHANGED)
    assert await click(world, f"/undoemail/{undo}") == DONE
    ended = await thief.get("/api/users/me")
    assert (ended.status_code, ended.json()["code"]) == (401, "session_email_taken_back")
    for email in (EMAIL, NEW):
        assert await sign_in_status(world, email) == 400  # no password is left
    await world.deliver()
    assert world.mailer.letters[-1].to == EMAIL
    assert await reset(world, world.secret(RESET)) == 200
    assert await sign_in_status(world, EMAIL, "battery staple") == 200
    assert await click(world, f"/undoemail/{undo}") == 403


@pytest.mark.parametrize("delivered", [True, False], ids=["the thief has his link", "the thief's letter waits"])
async def test_a_second_change_neither_closes_the_owners_way_back_nor_survives_it(
    world: World, ada: httpx.AsyncClient, delivered: bool
) -> None:
    await change(world, ada, NEW)
    await world.deliver()
    owners = world.secret(CHANGED)
    world.clock.advance(minutes=1)
    await change(world, await world.sign_in(NEW), THIRD)
    if delivered:
        await world.deliver()
        thiefs = world.secret(CHANGED)
        assert await click(world, f"/undoemail/{thiefs}") == DONE  # he takes it back from himself
        assert await _email_of_the_account(world) == NEW
        world.clock.advance(seconds=1)
    assert await click(world, f"/undoemail/{owners}") == DONE
    assert await _email_of_the_account(world) == EMAIL
    sent = len(world.mailer.letters)
    await world.deliver()
    assert [letter.kind for letter in world.mailer.letters[sent:]] == [RESET]
    assert "Your account is yours again." in str(world.mailer.messages[-1])


async def test_the_owner_undoes_both_changes_at_once(world: World, ada: httpx.AsyncClient) -> None:
    await change(world, ada, NEW)
    await world.deliver()
    owners = world.secret(CHANGED)
    world.clock.advance(minutes=1)
    await change(world, await world.sign_in(NEW), THIRD)
    await world.deliver()
    thiefs = world.secret(CHANGED)
    assert thiefs != owners
    assert await click(world, f"/undoemail/{owners}") == DONE
    assert await click(world, f"/undoemail/{thiefs}") == 403
    assert await _email_of_the_account(world) == EMAIL


async def test_m11_a_squatter_at_the_old_email_does_not_close_the_way_back(
    world: World, ada: httpx.AsyncClient
) -> None:
    """M11, E5: what nobody verified stops no undoing, as where an older version let somebody register there."""
    await change(world, ada, NEW)
    await world.deliver()
    undo = world.secret(CHANGED)
    await world.register("squatter@example.com", "squatting here")
    async with world.engines.sqlalchemy_transaction() as connection:
        squats = accounts.c.email == "squatter@example.com"
        await connection.execute(update(accounts).where(squats).values(email=EMAIL))
    squatter = await world.sign_in(EMAIL, "squatting here")
    assert await click(world, f"/undoemail/{undo}") == DONE
    assert (await squatter.get("/api/users/me")).status_code == 401
    assert await sign_in_status(world, EMAIL, "squatting here") == 400
    assert await _count(world, accounts.c.email == EMAIL) == 1
    assert await _count(world, events.c.kind == "squatter_removed") == 1


async def test_an_email_that_became_somebody_elses_is_not_given(world: World, ada: httpx.AsyncClient) -> None:
    assert await ask_for_change(ada, NEW) == 200
    await world.deliver()
    await world.register(NEW, "another person")
    assert await verify(world, world.secret(VERIFY)) == 200
    assert await confirm(ada, world.secret(CONFIRM)) == 403
    assert await sign_in_status(world, NEW, "another person") == 200
    assert (await ada.get("/api/users/me")).status_code == 200


async def test_g6_a_taken_email_is_answered_like_a_free_one_and_its_owner_is_told(
    world: World, ada: httpx.AsyncClient
) -> None:
    await world.register("bob@example.com")
    assert await verify(world, world.secret(VERIFY)) == 200
    bodies = []
    for email in ("bob@example.com", "nobody@example.com"):
        body = {"currentPassword": PASSWORD, "email": email}
        answer = await ada.patch("/api/users/me/email", json=body)
        bodies.append((answer.status_code, answer.content))
        await world.deliver()
    assert bodies[0] == bodies[1]
    assert [(letter.kind, letter.to) for letter in world.mailer.letters[-2:]] == [
        (TAKEN, "bob@example.com"),
        (CONFIRM, "nobody@example.com"),
    ]


@pytest.mark.parametrize("taken", [True, False])
async def test_g8_nobody_floods_a_mailbox_by_wanting_to_move_there(backend: Backend, taken: bool) -> None:
    policy = replace(POLICY, letters=LetterLimits.per_hour(to_email=3, for_network=1000))
    async with world_on(backend, policy) as world:
        await world.register()
        if taken:
            await world.register(NEW)
        ada, sent = await world.sign_in(), len(world.mailer.letters)
        for _ in range(10):
            assert await ask_for_change(ada, NEW) == 200
            await world.deliver()
            world.clock.advance(seconds=1)
        assert [letter.to for letter in world.mailer.letters[sent:]] == [NEW] * 3


async def test_of_64_at_once_one_confirms_and_one_takes_back(racing_world: World) -> None:
    await racing_world.register()
    assert await verify(racing_world, racing_world.secret(VERIFY)) == 200
    for attempt in range(5):
        ada = await racing_world.sign_in(password=PASSWORD if attempt == 0 else "battery staple")
        assert await ask_for_change(ada, NEW, PASSWORD if attempt == 0 else "battery staple") == 200
        await racing_world.deliver()
        form = {"csrf": csrf_in(await ada.get("/profile"))}
        for path, kind in (("confirmemail", CONFIRM), ("undoemail", CHANGED)):
            link = f"/{path}/{racing_world.secret(kind)}"
            answers = await asyncio.gather(*(ada.post(link, data=form) for _ in range(64)))
            led = Counter(answer.headers.get("location", "nowhere") for answer in answers)
            # The first to confirm signs everybody out, and so those that came late.
            assert led.pop("/signedout?reason=email_changed", 0) < 64
            assert {place: times for place, times in led.items() if place != "nowhere"} == {DONE_AT[kind]: 1}
            await racing_world.deliver()
            racing_world.clock.advance(seconds=1)
        assert await reset(racing_world, racing_world.secret(RESET)) == 200


async def _email_of_the_account(world: World) -> str:
    async with world.engines.sqlalchemy_reading() as connection:
        email: str = (await connection.execute(select(accounts.c.email))).scalar_one()
    return email


async def _count(world: World, condition: object) -> int:
    async with world.engines.sqlalchemy_reading() as connection:
        return (await connection.execute(select(func.count()).where(condition))).scalar_one()  # type: ignore[call-overload]
