"""Somebody who has lost every factor begins a reset: with the password, a mailed link, and a wait of some days."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from tests.harness import dump
from tests.harness.backends import Backend
from tests.harness.world import BASE, POLICY, World, world_on
from tests.stories.factors.apps import first_step, second_step
from tests.stories.factors.resets import (
    RESET,
    Owner,
    account,
    an_owner,
    has_factors,
    kinds_of_events,
    open_link,
    told,
    under_way,
)
from tests.stories.factors.test_second_step import reset_password
from vestibule.crypto.opaque import digest, mint_secret
from vestibule.flows.clean_up import clean_up
from vestibule.flows.report_lost_factors import begin_reset_by_link, report_lost_factors, reset_possible
from vestibule.flows.reset_factors import begin_reset
from vestibule.model.client_info import ClientInfo
from vestibule.model.factor_errors import FactorResetUnavailable
from vestibule.model.factor_resets import AskedBy, NoReset
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.pending_sign_ins import LIFETIME, PendingSignIn
from vestibule.model.sessions import Device
from vestibule.storage.sql.schema import accounts

WAIT = timedelta(days=7)
LOST, PAGE = "/api/auth/login/second-factor/lost", "/login/second-step/lost"
MAILED, BEGUN, CANCELED = LetterKind.FACTORS_LOST, LetterKind.FACTOR_RESET_BEGUN, LetterKind.FACTOR_RESET_CANCELED


@pytest.fixture
async def waiting(backend: Backend) -> AsyncIterator[World]:
    """Where an operator allows it, after a week."""
    async with world_on(backend, replace(POLICY, factor_reset_wait=WAIT)) as world:
        yield world


async def report(world: World) -> httpx.Response:
    """With the password alone, in a browser that knows nothing; the letter has been delivered."""
    await first_step(browser := await world.client())
    answer = await browser.post(LOST)
    await world.deliver()
    return answer


async def open_mailed(world: World, method: str, secret: str | None = None) -> httpx.Response:
    link = f"/resetfactors/{secret or world.secret(MAILED)}"
    answer = await (await world.client(origin=BASE)).request(method, link)
    await world.deliver()
    return answer


async def nobody_verified(world: World) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(update(accounts).values(verified=False))


async def begun(world: World) -> Owner:
    """Ada, who has reported her factors lost and opened the link."""
    owner = await an_owner(world)
    assert (await report(world)).status_code == 200
    answer = await open_mailed(world, "POST")
    assert answer.headers["location"] == "/login?notice=factors_lost"
    return owner


async def test_f42_password_and_mailed_link_and_a_wait_remove_the_factors(waiting: World) -> None:
    await begun(waiting)
    reset = await under_way(waiting)
    assert reset is not None
    assert (reset.asked_by, reset.due_at - reset.asked_at) == (AskedBy.OWNER, WAIT)
    assert told(waiting) == [MAILED, BEGUN]
    waiting.clock.advance(seconds=(WAIT - timedelta(seconds=1)).total_seconds())
    assert (await clean_up(waiting.env))["factor_resets"] == 0
    await first_step(await waiting.client())
    waiting.clock.advance(seconds=1)
    await waiting.sign_in()
    assert not await has_factors(waiting)
    await waiting.deliver()
    assert told(waiting)[-1] is LetterKind.FACTORS_RESET


async def test_f42_it_is_off_unless_an_operator_sets_a_wait(world: World) -> None:
    await an_owner(world)
    answer = await report(world)
    assert (answer.status_code, answer.json()["code"]) == (403, "factor_reset_unavailable")
    assert told(world) == []
    await first_step(browser := await world.client(origin=BASE))
    assert "Only the people who run this service can help you" in (await browser.get(PAGE)).text
    assert (await browser.post(PAGE)).headers["location"] == PAGE


async def test_f42_the_page_offers_it_and_says_what_happens(waiting: World) -> None:
    await an_owner(waiting)
    browser = await waiting.client(origin=BASE)
    assert (await browser.get(PAGE)).headers["location"] == "/login?notice=second_step_late"
    await first_step(browser)
    assert f'href="{PAGE}"' in (await browser.get("/login/second-step")).text
    assert "will be removed in 7 days" in (await browser.get(PAGE)).text
    sent = await browser.post(PAGE)
    assert sent.headers["location"] == f"{PAGE}?sent=yes"
    assert "We have sent an email" in (await browser.get(f"{PAGE}?sent=yes")).text
    await waiting.deliver()
    assert "in 7 days" in (await open_mailed(waiting, "GET")).text
    await open_mailed(waiting, "POST")
    assert "After that, sign in with your password." in (await browser.get(PAGE)).text
    assert (await browser.post(PAGE)).headers["location"] == PAGE


async def test_f42_without_the_password_nothing_is_mailed(waiting: World) -> None:
    """F42: nor with a password that was changed since."""
    await an_owner(waiting)
    assert (await (await waiting.client()).post(LOST)).json()["code"] == "no_pending_sign_in"
    await first_step(browser := await waiting.client())
    await reset_password(waiting, await waiting.client())
    waiting.mailer.letters.clear()
    assert (await browser.post(LOST)).json()["code"] == "no_pending_sign_in"
    await waiting.deliver()
    assert MAILED not in told(waiting)


async def test_f42_an_email_that_nobody_verified_is_mailed_nothing(waiting: World) -> None:
    await an_owner(waiting)
    await nobody_verified(waiting)
    assert (await report(waiting)).json()["code"] == "factor_reset_unavailable"


async def test_f42_opening_the_link_begins_nothing_and_it_works_once(waiting: World) -> None:
    await an_owner(waiting)
    await report(waiting)
    secret = waiting.secret(MAILED)
    stored = str(await dump.tables(waiting))
    assert (secret in stored, digest(secret) in stored) == (False, True)
    for method in ("HEAD", "GET"):
        assert (await open_mailed(waiting, method)).status_code == 200
        assert await under_way(waiting) is None, method
    for status in (303, 403):
        assert (await open_mailed(waiting, "POST", secret)).status_code == status
    assert (await open_mailed(waiting, "GET", secret)).status_code == 403
    assert told(waiting) == [MAILED, BEGUN]


async def test_f42_a_link_dies_with_the_password_it_was_asked_for_with(waiting: World) -> None:
    await an_owner(waiting)
    await report(waiting)
    secret = waiting.secret(MAILED)
    await reset_password(waiting, await waiting.client())
    for method in ("GET", "POST"):
        assert (await open_mailed(waiting, method, secret)).status_code == 403
    assert await under_way(waiting) is None


async def by_a_factor(world: World, owner: Owner) -> None:
    await first_step(browser := await world.client())
    assert await second_step(browser, owner.app.next_code()) == "ok"


async def by_a_session(world: World, owner: Owner) -> None:
    assert (await owner.browser.delete(RESET)).status_code == 200


async def by_the_link(world: World, owner: Owner) -> None:
    assert (await open_link(world, "POST")).status_code == 303


async def by_a_new_password(world: World, owner: Owner) -> None:
    await reset_password(world, await world.client())


@pytest.mark.parametrize("keep", [by_a_factor, by_a_session, by_the_link, by_a_new_password])
async def test_f42_the_owner_keeps_the_factors(waiting: World, keep: Callable[[World, Owner], Awaitable[None]]) -> None:
    owner = await begun(waiting)
    await keep(waiting, owner)
    assert await under_way(waiting) is None
    await waiting.deliver()
    assert CANCELED in told(waiting)
    waiting.clock.advance(seconds=2 * WAIT.total_seconds())
    await clean_up(waiting.env)
    assert await has_factors(waiting)


async def test_f43_who_knows_only_the_password_changes_nothing_of_the_wait(waiting: World) -> None:
    """F43: neither when it ends nor whether it does; nor gets letters sent meanwhile."""
    await begun(waiting)
    reset = await under_way(waiting)
    waiting.mailer.letters.clear()
    for number in range(6):
        waiting.clock.advance(days=1)
        await first_step(browser := await waiting.client())
        assert (await browser.post(LOST)).json()["code"] == "factor_reset_under_way"
        await second_step(browser, f"{number:06}")
        assert (await browser.delete(RESET)).status_code == 401
    await waiting.deliver()
    assert (await under_way(waiting), told(waiting)) == (reset, [])
    assert await begin_reset(waiting.env, COMMAND_LINE, await account(waiting)) is NoReset.UNDER_WAY
    waiting.clock.advance(days=1)
    await waiting.sign_in()


async def test_f43_letters_are_few_and_the_last_link_works_as_long_as_no_other_comes(waiting: World) -> None:
    """F43: a thief who asks all day keeps the owner from nothing."""
    await an_owner(waiting)
    for _ in range(48):
        assert (await report(waiting)).status_code == 200
        waiting.clock.advance(minutes=29)
        assert (await open_mailed(waiting, "GET")).status_code == 200
    assert told(waiting) == [MAILED] * 3
    assert (await open_mailed(waiting, "POST")).status_code == 303


async def test_f43_of_two_links_at_once_one_begins_one_wait(waiting: World) -> None:
    await an_owner(waiting)
    await report(waiting)
    secret = waiting.secret(MAILED)
    outcomes = await asyncio.gather(
        *(begin_reset_by_link(waiting.env, secret) for _ in range(8)), return_exceptions=True
    )
    await waiting.deliver()
    assert (outcomes.count(None), told(waiting)) == (1, [MAILED, BEGUN])
    assert (await kinds_of_events(waiting)).count("factor_reset_begun") == 1


async def test_f43_the_mailbox_alone_begins_nothing_without_the_wait(waiting: World) -> None:
    """F43: a reset of the password, which it allows, skips no factor, and the wait begins after that."""
    await an_owner(waiting)
    await reset_password(waiting, await waiting.client())
    await first_step(browser := await waiting.client(), password="battery staple")
    assert (await browser.post(LOST)).status_code == 200
    await waiting.deliver()
    await open_mailed(waiting, "POST")
    waiting.clock.advance(seconds=(WAIT - timedelta(seconds=1)).total_seconds())
    await first_step(await waiting.client(), password="battery staple")


async def test_f44_a_stranger_s_reset_goes_with_the_stranger(waiting: World) -> None:
    await begun(waiting)
    await nobody_verified(waiting)
    await reset_password(waiting, await waiting.client())
    assert (await dump.tables(waiting))["factor_resets"] == []
    assert not await has_factors(waiting)


async def test_f42_a_sign_in_that_began_with_a_mailed_code_is_no_password(waiting: World) -> None:
    """F42: otherwise the mailbox alone would be enough."""
    await an_owner(waiting)
    ada, now, handle = await account(waiting), waiting.clock.now(), mint_secret()
    async with waiting.env.store.transaction() as tx:
        began = PendingSignIn(digest(handle), ada.id, ada.epoch, ("otp",), (), now, now + LIFETIME)
        assert await tx.pending_sign_ins.add(began)
    for ask in (
        reset_possible(waiting.env, handle),
        report_lost_factors(waiting.env, handle, ClientInfo(Device("a browser", "192.0.2.7"))),
    ):
        with pytest.raises(FactorResetUnavailable):
            await ask
