"""An operator removes the factors of a thief at once: no factor, session or waiting sign-in outlives it."""

import pytest

from tests.harness import dump
from tests.harness.authenticator import Authenticator
from tests.harness.world import World
from tests.stories.factors.apps import ADA, PASSWORD, first_step, second_step
from tests.stories.factors.resets import account, an_owner, by_operator, kinds_of_events, told
from tests.stories.passkeys import sign_in as by_passkey
from tests.stories.passkeys import store_passkey
from vestibule.flows.administer import disable_account
from vestibule.flows.reset_factors import reset_now
from vestibule.model.factor_resets import NoReset
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE

GONE = ("totps", "passkeys", "recovery_codes", "pending_sign_ins", "factor_resets", "known_devices")


@pytest.mark.parametrize("is_under_way", [False, True], ids=["", "with a reset under way"])
async def test_f60_everything_goes_at_once_and_the_owner_is_told(world: World, is_under_way: bool) -> None:
    owner, key, waiting = await an_owner(world), Authenticator(), await world.client()
    await store_passkey(world, key, ADA)
    if is_under_way:
        await by_operator(world)
    await first_step(waiting)
    assert await reset_now(world.env, COMMAND_LINE, await account(world)) is None
    stored = await dump.tables(world)
    assert {table for table in GONE if stored[table]} == set()
    ended = await owner.browser.get("/api/users/me")
    assert (ended.status_code, ended.json()["code"]) == (401, "session_factors_reset")
    assert await second_step(waiting, owner.app.next_code()) == "no_pending_sign_in"
    assert (await by_passkey(await world.client(), key)).json()["code"] == "passkey_unknown"
    await world.sign_in(ADA, PASSWORD)
    await world.deliver()
    letter = next(each for each in world.mailer.letters if each.kind is LetterKind.FACTORS_RESET)
    assert "An administrator removed" in world.mailer.renderer.write(letter).as_string()
    assert (await kinds_of_events(world)).count("factors_reset") == 1


async def test_f60_without_a_factor_nothing_ends(world: World) -> None:
    await world.register()
    mine = await world.sign_in()
    assert await reset_now(world.env, COMMAND_LINE, await account(world)) is NoReset.NO_FACTOR
    assert (await mine.get("/api/users/me")).status_code == 200
    assert LetterKind.FACTORS_RESET not in told(world)


async def test_f60_a_disabled_account_is_cleared_too(world: World) -> None:
    """F60: an operator who has stopped a thief by disabling the account does not have to enable it first."""
    await an_owner(world)
    await disable_account(world.env, COMMAND_LINE, await account(world))
    assert await reset_now(world.env, COMMAND_LINE, await account(world)) is None
    assert (await dump.tables(world))["totps"] == []
