"""Whoever can prove more than the password keeps the factors that are being reset."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.harness import dump
from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories.factors.apps import ADA, confirm, first_step, prove, scan, second_step
from tests.stories.factors.resets import (
    KEEP,
    RESET,
    Owner,
    account,
    an_owner,
    by_operator,
    has_factors,
    kinds_of_events,
    open_link,
    told,
    under_way,
)
from tests.stories.factors.test_second_step import reset_password
from vestibule.crypto.opaque import digest
from vestibule.flows.administer import disable_account
from vestibule.flows.cancel_factor_reset import cancel_by_link, cancel_reset
from vestibule.flows.delete_account import delete_account
from vestibule.flows.reset_factors import begin_reset, finish_reset
from vestibule.model.client_info import ClientInfo
from vestibule.model.factor_errors import FactorResetLinkInvalid
from vestibule.model.factor_resets import OPERATOR_WAIT
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.sessions import Device

CANCELED, DONE = LetterKind.FACTOR_RESET_CANCELED, LetterKind.FACTORS_RESET
BROWSER = ClientInfo(Device("a browser", "192.0.2.7"))


async def by_the_api(world: World, owner: Owner) -> None:
    assert (await owner.browser.delete(RESET)).status_code == 200


async def by_the_button(world: World, owner: Owner) -> None:
    page = await owner.browser.get("/profile/security")
    assert "/profile/security/factor-reset" in page.text
    done = await owner.browser.post("/profile/security/factor-reset", data={"csrf": csrf_in(page)})
    assert done.headers["location"] == "/profile/security?notice=factors_kept"


async def by_the_link(world: World, owner: Owner) -> None:
    assert (await open_link(world, "POST")).headers["location"] == "/login?notice=factors_kept"


async def by_a_sign_in(world: World, owner: Owner) -> None:
    await first_step(browser := await world.client())
    assert await second_step(browser, owner.app.next_code()) == "ok"


async def by_a_recovery_code(world: World, owner: Owner) -> None:
    await first_step(browser := await world.client())
    assert await second_step(browser, owner.codes[3]) == "ok"


async def by_a_step_up(world: World, owner: Owner) -> None:
    await prove(owner.browser, owner.app)


async def by_the_operator(world: World, owner: Owner) -> None:
    assert await cancel_reset(world.env, COMMAND_LINE, await account(world))
    assert not await cancel_reset(world.env, COMMAND_LINE, await account(world))


KEEPING = [by_the_api, by_the_button, by_the_link, by_a_sign_in, by_a_recovery_code, by_a_step_up, by_the_operator]


@pytest.mark.parametrize("keep", KEEPING)
async def test_f40_the_factors_stay_and_the_owner_is_told(
    world: World, keep: Callable[[World, Owner], Awaitable[None]]
) -> None:
    owner = await an_owner(world)
    await by_operator(world)
    await keep(world, owner)
    assert await under_way(world) is None
    await world.deliver()
    assert (told(world).count(CANCELED), (await kinds_of_events(world)).count("factor_reset_canceled")) == (1, 1)
    world.clock.advance(seconds=2 * OPERATOR_WAIT.total_seconds())
    await first_step(await world.client())
    assert await has_factors(world)


async def test_f40_changing_factors_keeps_them(world: World) -> None:
    """F40: who just proved a factor, and adds one, has not lost them."""
    owner = await an_owner(world)
    await prove(owner.browser, owner.app)
    await by_operator(world)
    await confirm(owner.browser, (await scan(world, owner.browser)).code())
    assert await under_way(world) is None


async def test_f40_the_password_alone_keeps_nothing(world: World) -> None:
    """F40: whoever knows it cannot keep an owner from being helped."""
    await an_owner(world)
    reset = await by_operator(world)
    for number in range(5):
        await first_step(browser := await world.client())
        await second_step(browser, f"{number:06}")
        assert (await browser.delete(RESET)).status_code == 401
    assert await under_way(world) == reset


async def test_f40_the_owner_sees_it_and_is_told_if_there_is_none(world: World) -> None:
    owner = await an_owner(world)
    listed = await owner.browser.get("/api/users/me/factors")
    assert listed.json()["data"]["reset"] is None
    assert (await owner.browser.delete(RESET)).json()["code"] == "factor_reset_unknown"
    assert "factor-reset" not in (await owner.browser.get("/profile/security")).text
    await by_operator(world)
    shown = (await owner.browser.get("/api/users/me/factors")).json()["data"]["reset"]
    assert (set(shown), shown["asked_by"]) == ({"askedAt", "dueAt", "asked_by"}, "operator")


async def test_f40_between_keeping_and_the_end_of_the_wait_one_wins(world: World) -> None:
    """F40: and what the owner is told is what happened."""
    await an_owner(world)
    for _ in range(4):
        await by_operator(world)
        world.clock.advance(seconds=OPERATOR_WAIT.total_seconds())
        ada, secret = await account(world), world.secret(KEEP)
        world.mailer.letters.clear()
        kept, *_ = await asyncio.gather(
            cancel_by_link(world.env, secret, BROWSER),
            *(finish_reset(world.env, ada.id) for _ in range(2)),
            return_exceptions=True,
        )
        await world.deliver()
        assert told(world) == ([CANCELED] if kept is None else [DONE])
        assert await has_factors(world) == (kept is None)
        if kept is not None:
            assert isinstance(kept, FactorResetLinkInvalid)
            break


async def test_f41_the_link_is_stored_as_a_digest_and_works_once(world: World) -> None:
    await an_owner(world)
    await by_operator(world)
    secret = world.secret(KEEP)
    stored = str(await dump.tables(world))
    assert secret not in stored
    assert digest(secret) in stored
    for method in ("HEAD", "GET"):
        assert (await open_link(world, method)).status_code == 200
        assert await under_way(world) is not None, method
    assert (await open_link(world, "POST")).status_code == 303
    await by_operator(world)
    for method in ("GET", "POST"):
        assert (await open_link(world, method, secret)).status_code == 403
    assert await under_way(world) is not None


async def test_f41_the_link_outlives_a_new_password(world: World) -> None:
    """F41: an owner who is frightened sets one first."""
    await an_owner(world)
    reset = await by_operator(world)
    secret = world.secret(KEEP)
    await reset_password(world, await world.client())
    assert await under_way(world) == reset
    await first_step(await world.client(), password="battery staple")
    assert (await open_link(world, "POST", secret)).status_code == 303
    assert await under_way(world) is None


async def test_f41_the_link_is_dead_once_the_reset_is_over(world: World) -> None:
    await an_owner(world)
    await by_operator(world)
    world.clock.advance(seconds=OPERATOR_WAIT.total_seconds())
    await world.sign_in()
    for method in ("GET", "POST"):
        assert (await open_link(world, method)).status_code == 403
    assert (await open_link(world, "GET", "0" * 64)).status_code == 403


async def test_f44_disabling_an_account_ends_its_reset(world: World) -> None:
    await an_owner(world)
    await by_operator(world)
    await disable_account(world.env, COMMAND_LINE, await account(world))
    assert await under_way(world) is None


async def test_f44_a_deleted_account_leaves_none(world: World) -> None:
    await an_owner(world)
    await by_operator(world)
    await delete_account(world.env, COMMAND_LINE, await account(world))
    assert (await dump.tables(world))["factor_resets"] == []


@pytest.mark.parametrize("sent", [False, True])
async def test_f41_a_letter_about_a_reset_that_is_over_is_not_sent(world: World, sent: bool) -> None:
    """F41: nor one about the reset before this one."""
    await an_owner(world)
    await begin_reset(world.env, COMMAND_LINE, await account(world))
    if sent:
        await world.deliver()
    await cancel_reset(world.env, COMMAND_LINE, await account(world))
    await world.deliver()
    assert told(world).count(KEEP) == sent
    assert [letter.to for letter in world.mailer.letters] == [ADA] * (1 + sent)
