"""A pause after too many wrong codes: it ends by itself, stops nothing that nobody guesses, spares known devices."""

import asyncio
from collections import Counter

import httpx
import pytest

from tests.harness.authenticator import UV, Authenticator, Lie
from tests.harness.rounds import rounds
from tests.harness.world import World
from tests.stories.factors.apps import ADA, SECOND, enrol, enrolled, first_step, prove, second_step
from tests.stories.factors.test_guesses import LIMIT, guess
from tests.stories.factors.test_second_step import reset_password
from tests.stories.passkeys import add, ask, sign_in, step_up
from vestibule.crypto.opaque import digest
from vestibule.flows.find_people import find_account
from vestibule.flows.login_attempt import count_attempt, give_back
from vestibule.flows.pauses import pauses_of
from vestibule.flows.unlock_account import unlock_account
from vestibule.model.errors import TooManyAttempts
from vestibule.model.events import EventKind
from vestibule.model.factor_attempts import RECOVERY_CODE_LIMITS, SECOND_FACTOR_LIMITS, counters_of_second_factor
from vestibule.model.letters import LetterKind
from vestibule.model.login_attempts import AttemptCounter, LoginAttempt, LoginAttemptLimits
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.pauses import AttemptKind

DAY_SECONDS = 86_400


async def paused(world: World) -> None:
    """A stranger who knows the password has spent what unknown devices may try."""
    answers = Counter([await guess(world, number, f"x{number}") for number in range(LIMIT + 1)])
    assert answers == {"wrong_code": LIMIT, "second_factor_paused": 1}


async def refusal(browser: httpx.AsyncClient, code: str) -> httpx.Response:
    await first_step(browser)
    answer = await browser.post(SECOND, json={"code": code})
    assert answer.status_code == 403, answer.text
    return answer


async def test_f33_a_pause_ends_by_one_code_a_day(world: World) -> None:
    """F33: one, from wherever; the refusal says when the next one is checked; a right one ends the pause."""
    _, app, _ = await enrolled(world)
    await paused(world)
    browser = await world.client()
    for _ in range(3):
        world.clock.advance(seconds=DAY_SECONDS - 1)
        answer = await refusal(browser, app.code())
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("second_factor_paused", "1")
        assert "one more is checked in 1 h" in answer.json()["message"]
        world.clock.advance(seconds=1)
        answers = [await guess(world, number, "x") for number in range(5)]
        assert answers == ["wrong_code", *["second_factor_paused"] * 4]
    world.clock.advance(seconds=DAY_SECONDS)
    await first_step(browser)
    assert await second_step(browser, app.code()) == "ok"
    assert await guess(world, 7, "x") == "wrong_code", "no pause any more"


async def test_f33_what_could_not_be_checked_leaves_the_code_of_that_day(world: World) -> None:
    """F33: nor does it bring another one that day."""
    _, app, _ = await enrolled(world)
    await paused(world)
    seal = world.env.seal
    for _ in range(3):
        world.clock.advance(seconds=DAY_SECONDS)
        object.__setattr__(world.env, "seal", None)
        answers = [await guess(world, number, app.code()) for number in range(3)]
        assert answers == ["totp_unavailable"] * 3
        object.__setattr__(world.env, "seal", seal)
        assert [await guess(world, number, "000000") for number in range(2)] == ["wrong_code", "second_factor_paused"]
    world.clock.advance(seconds=DAY_SECONDS)
    assert await guess(world, 1, app.code()) == "ok"


async def test_f33_of_many_at_once_one_is_checked_also_after_it_was_given_back(racing_world: World) -> None:
    """F33: in each round one is counted, and given back beside those that try again."""
    await enrolled(racing_world)
    account = await find_account(racing_world.env, ADA)
    assert account is not None
    (others,) = counters_of_second_factor(account, None)
    await spend(racing_world, others, SECOND_FACTOR_LIMITS, LIMIT)
    racing_world.clock.advance(seconds=DAY_SECONDS)
    for _ in range(rounds(100, suite=10)):
        racing_world.clock.advance(seconds=1)
        counted = await _counted_at_once(racing_world, others)
        assert len(counted) == 1
        await give_back(racing_world.env, counted[0], SECOND_FACTOR_LIMITS)
    (last,) = await _counted_at_once(racing_world, others)
    assert last.number == LIMIT + 1
    assert await _counted_at_once(racing_world, others) == []


async def test_f33_an_attempt_that_is_given_back_late_ends_no_wait_of_another(world: World) -> None:
    """F33: one was counted since, and checked; the next one waits from that."""
    await enrolled(world)
    account = await find_account(world.env, ADA)
    assert account is not None
    (others,) = counters_of_second_factor(account, None)
    await spend(world, others, SECOND_FACTOR_LIMITS, LIMIT - 1)
    early = await count_attempt(world.env, [others], SECOND_FACTOR_LIMITS)
    world.clock.advance(seconds=DAY_SECONDS)
    await count_attempt(world.env, [others], SECOND_FACTOR_LIMITS)
    await give_back(world.env, early, SECOND_FACTOR_LIMITS)
    with pytest.raises(TooManyAttempts) as refused:
        await count_attempt(world.env, [others], SECOND_FACTOR_LIMITS)
    assert refused.value.retry_after_seconds == DAY_SECONDS


async def _counted_at_once(world: World, counter: AttemptCounter) -> list[LoginAttempt]:
    found = await asyncio.gather(
        *(count_attempt(world.env, [counter], SECOND_FACTOR_LIMITS) for _ in range(8)), return_exceptions=True
    )
    assert all(isinstance(each, LoginAttempt | TooManyAttempts) for each in found), found
    return [each for each in found if isinstance(each, LoginAttempt)]


async def test_f33_after_fifty_no_day_brings_another_one(world: World) -> None:
    """F33: the guesses stay within the hundred that NIST allows, however long an attacker waits."""
    _, app, _ = await enrolled(world)
    checked = 0
    for number in range(100):
        checked += await guess(world, number, "x") == "wrong_code"
        world.clock.advance(days=1)
    assert checked == SECOND_FACTOR_LIMITS.at_most
    answer = await refusal(await world.client(), app.code())
    assert answer.json()["code"] == "second_factor_paused"
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("limits", [SECOND_FACTOR_LIMITS, RECOVERY_CODE_LIMITS], ids=["codes", "recovery codes"])
def test_f33_known_devices_have_ten_places_and_none_of_them_waits(limits: LoginAttemptLimits) -> None:
    """F33: what they and all others may try together is twice `at_most`."""
    each = limits.of_a_device
    assert (limits.places, each.at_most * limits.places) == (10, limits.at_most)
    assert not any(each.wait_after(failures) for failures in range(each.at_most))
    assert limits.wait_after(limits.free - 1).total_seconds() == 0
    assert {limits.wait_after(n).total_seconds() for n in range(limits.free, limits.at_most)} == {DAY_SECONDS}


async def test_f34_a_pause_refuses_no_recovery_code(world: World) -> None:
    """F34: nor do wrong recovery codes pause those of an app. The step that is completed ends the pause."""
    _, app, codes = await enrolled(world)
    await paused(world)
    browser = await world.client()
    await first_step(browser)
    assert await second_step(browser, codes[3]) == "ok"
    for number in range(LIMIT + 5):
        assert await guess(world, number, f"{number % 10}-00000-00000") == "wrong_code"
    assert await guess(world, 1, app.next_code()) == "ok"


async def test_f34_recovery_codes_have_a_bound(world: World) -> None:
    """F34: a thousand wrong ones pause them too, and no code of the app."""
    _, app, codes = await enrolled(world)
    account = await find_account(world.env, "ada@example.com")
    assert account is not None
    (others,) = counters_of_second_factor(account, None, RECOVERY_CODE_LIMITS)
    await spend(world, others, RECOVERY_CODE_LIMITS, RECOVERY_CODE_LIMITS.free - 1)
    assert await guess(world, 1, "0-00000-00000") == "wrong_code"
    assert await guess(world, 2, codes[0]) == "second_factor_paused"
    assert await guess(world, 3, app.next_code()) == "ok"
    assert await guess(world, 4, codes[0]) == "ok", "the completed step has ended this pause too"


async def spend(world: World, counter: AttemptCounter, limits: LoginAttemptLimits, times: int) -> None:
    async with world.env.store.steps() as steps:
        for _ in range(times):
            assert await steps.login_attempts.take(counter, limits, world.clock.now()) is not None


@pytest.mark.parametrize("lie", [Lie(), Lie(off=UV)], ids=["verified", "touched"])
async def test_f34_a_pause_refuses_no_passkey_and_a_passkey_ends_it(world: World, lie: Lie) -> None:
    """F34: as the second step, with a touch alone too."""
    mine, app, _ = await enrolled(world)
    await prove(mine, app)
    key = Authenticator()
    assert (await add(mine, key)).status_code == 201
    await paused(world)
    browser = await world.client()
    await first_step(browser)
    credential = key.get(await ask(browser, f"{SECOND}/options"), lie)
    answer = await browser.post(SECOND, json={"credential": credential})
    assert answer.status_code == 200, answer.text
    assert await guess(world, 1, "x") == "wrong_code", "no pause any more"


async def test_f34_a_sign_in_by_passkey_alone_ends_the_pause_of_its_device(world: World) -> None:
    """F34: it is a complete sign-in. On a known device it ends that one's pause, and not that of all others."""
    mine, app, _ = await enrolled(world)
    await prove(mine, app)
    key = Authenticator()
    assert (await add(mine, key)).status_code == 201
    await paused(world)
    for number in range(5):
        await first_step(mine)
        assert await second_step(mine, f"x{number}") == "wrong_code"
    await first_step(mine)
    assert await second_step(mine, "x") == "second_factor_paused"
    assert (await sign_in(mine, key)).status_code == 200
    await first_step(mine)
    assert await second_step(mine, "x") == "wrong_code", "no pause of this device any more"
    assert await guess(world, 1, "x") == "second_factor_paused", "which is not the strangers'"
    assert (await sign_in(await world.client(), key)).status_code == 200
    assert await guess(world, 2, "x") == "wrong_code"


async def test_f34_a_pause_refuses_no_passkey_that_steps_up(world: World) -> None:
    """F34: and it ends the pause of the device that it steps up on."""
    mine, app, _ = await enrolled(world)
    await prove(mine, app)
    key = Authenticator()
    assert (await add(mine, key)).status_code == 201
    for _ in range(20):
        answer = await mine.post("/api/users/me/step-up", json={"code": "x"})
    assert answer.json()["code"] == "second_factor_paused"
    assert (await step_up(mine, key)).status_code == 200
    assert (await mine.post("/api/users/me/step-up", json={"code": "x"})).json()["code"] == "wrong_code"


async def test_f35_devices_from_before_the_first_factor_are_not_known(world: World) -> None:
    """F35: only the one where the factor was added is; a second factor forgets none."""
    await world.register()
    before, mine = await world.sign_in(), await world.sign_in()
    app, _ = await enrol(world, mine)
    await paused(world)
    await first_step(before)
    assert await second_step(before, app.next_code()) == "second_factor_paused", "it counts as a stranger's"
    await first_step(mine)
    assert await second_step(mine, app.code()) == "ok"
    await enrol(world, mine)
    world.clock.advance(minutes=1)
    assert await known(world, mine)
    assert not await known(world, before)


async def known(world: World, browser: httpx.AsyncClient) -> bool:
    account = await find_account(world.env, "ada@example.com")
    assert account is not None
    secrets = [value for name, value in browser.cookies.items() if name.startswith("device_")]
    async with world.env.store.reading() as read:
        return await read.known_devices.place(account.id, [digest(secret) for secret in secrets]) is not None


async def test_f36_an_operator_ends_every_pause(world: World) -> None:
    """F36: of codes, of recovery codes and of passwords; the second time there is nothing to end, and no event."""
    _, app, codes = await enrolled(world)
    account = await find_account(world.env, "ada@example.com")
    assert account is not None
    async with world.env.store.reading() as read:
        assert await pauses_of(world.env, read, account) == []
    await paused(world)
    (others,) = counters_of_second_factor(account, None, RECOVERY_CODE_LIMITS)
    await spend(world, others, RECOVERY_CODE_LIMITS, RECOVERY_CODE_LIMITS.free)
    browser, wrong = await world.client(), {"email": account.email, "password": "wrong horse"}
    for _ in range(world.env.policy.login_attempts.at_most):
        world.clock.advance(minutes=15)
        assert (await browser.post("/api/auth/login", json=wrong)).status_code == 400
    ended = await unlock_account(world.env, COMMAND_LINE, account)
    assert ended is not None
    assert {pause.of: pause.until for pause in ended}.keys() == {
        AttemptKind.PASSWORD,
        AttemptKind.CODE,
        AttemptKind.RECOVERY_CODE,
    }
    assert [pause.until is None for pause in ended] == [True, False, False], "a password, until it is reset"
    assert await unlock_account(world.env, COMMAND_LINE, account) is None
    for code in (codes[0], app.next_code()):
        assert await guess(world, 1, code) == "ok"
    async with world.env.store.reading() as read:
        kinds = [event.kind for event in await read.events.of_account(account.id, 100)]
    assert kinds.count(EventKind.ACCOUNT_UNLOCKED) == 1


async def test_f35_a_reset_by_mail_makes_no_device_known_that_has_proved_no_factor(world: World) -> None:
    """F35: neither the mailbox nor the password is the second factor; in the pages too. Without one, it is known."""
    mine, _, _ = await enrolled(world)
    await mine.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    thief = await world.client()
    await reset_password(world, thief)
    assert not [name for name in thief.cookies if "device" in name]
    await thief.post("/forgotpassword", data={"email": ADA})
    await world.deliver()
    path = f"/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    assert (await thief.post(path, data={"password": "battery staple"})).status_code == 303
    assert not [name for name in thief.cookies if "device" in name]
    tries = Counter()
    for number in range(LIMIT + 2):
        await first_step(thief, password="battery staple")
        tries[await second_step(thief, f"x{number}")] += 1
    assert tries == {"wrong_code": LIMIT, "second_factor_paused": 2}
    await world.register("bob@example.com")
    bob = await world.client()
    await reset_password(world, bob, "bob@example.com")
    assert [name for name in bob.cookies if "device" in name]
