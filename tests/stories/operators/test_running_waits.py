"""Every wait that refuses a person who has the right password, code or mailbox: the page, the API and `users show` name
it while it runs, and the unlock lets the person in at the next try.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.attempts.test_login_attempts import stranger
from tests.stories.factors import codes
from tests.stories.factors.apps import ADA, LOGIN, PASSWORD, SECOND, enrol, enrolled, first_step
from tests.stories.factors.test_guesses import LIMIT, guess
from tests.stories.factors.test_pauses import spend
from tests.stories.operators.people import operator_in
from tests.stories.operators.test_person_page import ada_of, page_of
from tests.stories.operators.test_search_page import AT, shown
from vestibule.cli.reasons import command_of, sentence_of
from vestibule.cli.unlock import pause_in_words
from vestibule.flows.see_person import see_person
from vestibule.flows.unlock_account import unlock_account
from vestibule.model.accounts import Role
from vestibule.model.factor_attempts import (
    EMAIL_CODE_LIMITS,
    RECOVERY_CODE_LIMITS,
    counters_of_email_code,
    counters_of_second_factor,
)
from vestibule.model.letters import LetterKind
from vestibule.model.limits import LetterLimits
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.pauses import AttemptKind
from vestibule.model.reasons import Mend
from vestibule.model.why_not_in import why_not_in

LETTERS = LetterLimits.per_hour(to_email=3, for_network=1_000, gap=timedelta(minutes=5))
WAITING = replace(POLICY, letters=LETTERS, factor_reset_wait=timedelta(days=7))

Try = Callable[[], Awaitable[bool]]
"""Whether the person gets on: is signed in, or is sent the letter."""


@dataclass(frozen=True)
class Wait:
    """What makes the person wait, and returns the person's next try; the reason that the API names, and what waits."""

    begin: Callable[[World], Awaitable[Try]]
    reason: str
    of: AttemptKind
    sentence: str


def signing_in(client: httpx.AsyncClient, password: str = PASSWORD) -> Try:
    async def attempt() -> bool:
        return (await client.post(LOGIN, json={"email": ADA, "password": password})).status_code == 200

    return attempt


async def wrong_passwords(world: World, times: int, minutes: int = 0, password: str = "wrong horse") -> None:
    client = await stranger(world, "203.0.113.7")
    for _ in range(times):
        world.clock.advance(minutes=minutes)
        answer = await client.post(LOGIN, json={"email": ADA, "password": password})
        assert answer.status_code == 400, answer.text


async def passwords_wait(world: World) -> Try:
    await world.register()
    await wrong_passwords(world, 20)
    await wrong_passwords(world, 8, minutes=15)
    return signing_in(await world.client())


async def passwords_wait_for_a_second(world: World) -> Try:
    await world.register()
    await wrong_passwords(world, 20)
    return signing_in(await world.client())


async def passwords_wait_on_a_known_device(world: World) -> Try:
    """It has used up its own counter too."""
    await world.register()
    known = await world.sign_in()
    for _ in range(5):
        assert (await known.post(LOGIN, json={"email": ADA, "password": "wrong horse"})).status_code == 400
    await wrong_passwords(world, 20)
    return signing_in(known)


async def passwords_are_used_up_and_the_waits_restarted(world: World) -> Try:
    """After a month the waits begin anew, and the hundred that NIST allows do not."""
    await world.register()
    await wrong_passwords(world, 50, minutes=16)
    world.clock.advance(days=31)
    await wrong_passwords(world, 1)
    return signing_in(await world.client())


async def codes_wait(world: World) -> Try:
    _, app, _ = await enrolled(world)
    for number in range(LIMIT):
        assert await guess(world, number, f"x{number}") == "wrong_code"

    async def attempt() -> bool:
        return await guess(world, 1, app.next_code()) == "ok"

    return attempt


async def recovery_codes_wait(world: World) -> Try:
    _, _, recovery = await enrolled(world)
    (counter,) = counters_of_second_factor(await ada_of(world), None, RECOVERY_CODE_LIMITS)
    await spend(world, counter, RECOVERY_CODE_LIMITS, RECOVERY_CODE_LIMITS.free)

    async def attempt() -> bool:
        return await guess(world, 1, recovery[0]) == "ok"

    return attempt


async def email_codes_wait(world: World) -> Try:
    await codes.verified(world)
    (counter,) = counters_of_email_code(await ada_of(world), ADA, None)
    await spend(world, counter, EMAIL_CODE_LIMITS, EMAIL_CODE_LIMITS.at_most)
    browser = await world.client()
    code = await codes.asked(world, browser)

    async def attempt() -> bool:
        return await codes.typed(browser, code) == "ok"

    return attempt


def asking(world: World, client: httpx.AsyncClient, path: str, kind: LetterKind) -> Try:
    async def attempt() -> bool:
        before = len([letter for letter in world.mailer.letters if letter.kind is kind])
        assert (await client.post(path, json={"email": ADA})).status_code == 200
        await world.deliver()
        return len([letter for letter in world.mailer.letters if letter.kind is kind]) > before

    return attempt


async def ask_often(world: World, attempt: Try, times: int) -> None:
    for _ in range(times):
        world.clock.advance(minutes=5)
        assert await attempt()


async def reset_links_wait(world: World) -> Try:
    """They were asked for by strangers, while the owner was signed in."""
    await codes.verified(world)
    attempt = asking(world, await world.client(), "/api/auth/forgotpassword", LetterKind.RESET_PASSWORD)
    await ask_often(world, attempt, 3)
    world.clock.advance(seconds=1)
    await world.sign_in()
    return attempt


async def reset_links_wait_on_a_known_device(world: World) -> Try:
    await codes.verified(world)
    known = await world.sign_in()
    attempt = asking(world, known, "/api/auth/forgotpassword", LetterKind.RESET_PASSWORD)
    await ask_often(world, attempt, 3)
    world.clock.advance(seconds=1)
    assert await signing_in(known)()
    return attempt


async def sign_in_codes_wait_in_a_network(world: World) -> Try:
    await codes.verified(world)
    attempt = asking(world, await world.client(), codes.ASK, LetterKind.SIGN_IN_CODE)
    await ask_often(world, attempt, 3)
    return attempt


async def sign_in_codes_wait_everywhere(world: World) -> Try:
    await codes.verified(world)
    for number in range(LETTERS.codes_a_day.times):
        client = await stranger(world, f"198.51.100.{number}")
        assert await asking(world, client, codes.ASK, LetterKind.SIGN_IN_CODE)()
    return asking(world, await world.client(), codes.ASK, LetterKind.SIGN_IN_CODE)


async def verification_links_wait(world: World) -> Try:
    await world.register()
    attempt = asking(world, await world.client(), "/api/auth/verifyemail", LetterKind.VERIFY_EMAIL)
    await ask_often(world, attempt, 3)
    return attempt


async def links_for_lost_factors_wait(world: World) -> Try:
    await codes.verified(world)
    await enrol(world, await world.sign_in())
    browser = await world.client("http://localhost:8000")
    await first_step(browser)

    async def attempt() -> bool:
        before = len(world.mailer.letters)
        assert (await browser.post(f"{SECOND}/lost")).status_code == 200
        await world.deliver()
        return len(world.mailer.letters) > before

    for _ in range(3):
        assert await attempt()
    return attempt


WAITS = {
    "passwords": Wait(passwords_wait, "paused_passwords", AttemptKind.PASSWORD, "Too many wrong passwords"),
    "passwords, for a second": Wait(
        passwords_wait_for_a_second, "paused_passwords", AttemptKind.PASSWORD, "Too many wrong passwords"
    ),
    "passwords, on a known device": Wait(
        passwords_wait_on_a_known_device, "paused_passwords", AttemptKind.PASSWORD, "Too many wrong passwords"
    ),
    "passwords, used up": Wait(
        passwords_are_used_up_and_the_waits_restarted,
        "paused_passwords",
        AttemptKind.PASSWORD,
        "none is checked any more",
    ),
    "codes": Wait(codes_wait, "paused_second_factor", AttemptKind.CODE, "too many codes were wrong"),
    "recovery codes": Wait(
        recovery_codes_wait, "paused_second_factor", AttemptKind.RECOVERY_CODE, "too many codes were wrong"
    ),
    "email codes": Wait(email_codes_wait, "paused_email_codes", AttemptKind.EMAIL_CODE, "wrong codes from emails"),
    "reset links": Wait(reset_links_wait, "letters_paused", AttemptKind.RESET_LETTER, "asked for too often"),
    "reset links, on a known device": Wait(
        reset_links_wait_on_a_known_device, "letters_paused", AttemptKind.RESET_LETTER, "asked for too often"
    ),
    "sign-in codes, in a network": Wait(
        sign_in_codes_wait_in_a_network, "letters_paused", AttemptKind.CODE_LETTER, "asked for too often"
    ),
    "sign-in codes, everywhere": Wait(
        sign_in_codes_wait_everywhere, "letters_paused", AttemptKind.CODE_LETTER, "asked for too often"
    ),
    "verification links": Wait(
        verification_links_wait,
        "nothing_in_the_way",
        AttemptKind.VERIFICATION_LETTER,
        "the right password signs in",
    ),
    "links for lost factors": Wait(
        links_for_lost_factors_wait, "nothing_in_the_way", AttemptKind.FACTORS_LOST_LETTER, "second step sign in"
    ),
}


@pytest.fixture
async def waiting(backend: Backend) -> AsyncIterator[World]:
    async with world_on(backend, WAITING) as world:
        yield world


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
async def test_o42_a_wait_is_named_while_it_runs_and_its_end_lets_the_person_in(waiting: World, wait: Wait) -> None:
    world, attempt = waiting, await wait.begin(waiting)
    assert not await attempt(), "refused with the right one"
    ada, admin = await ada_of(world), await operator_in(world, Role.ADMIN)
    data = (await admin.client.get(f"/api{AT}/{ada.id}")).json()["data"]
    paused = {each["of"]: each for each in data["paused"]}
    assert (data["why_not_in"]["reason"], wait.of.value in paused) == (wait.reason, True)
    since, until = paused[wait.of.value]["since"], paused[wait.of.value]["until"]
    assert datetime.fromisoformat(since) <= world.clock.now(), "when it began is told"
    assert until is None or datetime.fromisoformat(until) > world.clock.now()
    page = await page_of(admin, ada)
    assert wait.sentence in shown(page.partition("<details")[0])
    assert f'href="{AT}/{ada.id}/unlock"' in page
    await _told_by_the_command(world, ada.id, wait)
    done = await admin.client.post(f"/api{AT}/{ada.id}/unlock")
    assert (done.status_code, done.json()["data"]["changed"]) == (200, True), done.text
    data = (await admin.client.get(f"/api{AT}/{ada.id}")).json()["data"]
    assert (data["paused"], data["why_not_in"]["mend"] == "unlock") == ([], False)
    assert await attempt(), "at once"


async def _told_by_the_command(world: World, account_id: str, wait: Wait) -> None:
    person = await see_person(world.env, account_id)
    assert person is not None
    reason = why_not_in(person, world.clock.now())
    (pause,) = [pause for pause in person.factors.paused if pause.of is wait.of]
    assert " since 20" in pause_in_words(pause)
    if wait.reason != "nothing_in_the_way":
        assert (reason.mend, command_of(reason, ADA)) == (Mend.UNLOCK, f"vestibule users unlock {ADA}")
        assert "until" in sentence_of(reason)


@pytest.mark.parametrize(
    ("begin", "from_where"),
    [(passwords_wait, "203.0.113.7 (28)"), (codes_wait, "198.51.0.9 (1), 198.51.0.8 (1), 198.51.0.7 (1)")],
)
async def test_o42_whose_attempts_they_were_is_named(
    waiting: World, begin: Callable[[World], Awaitable[Try]], from_where: str
) -> None:
    await begin(waiting)
    ada, auditor = await ada_of(waiting), await operator_in(waiting, Role.AUDITOR)
    assert f"They came from {from_where}." in shown(await page_of(auditor, ada))


async def test_o42_a_wait_that_is_over_is_not_named(waiting: World) -> None:
    attempt = await passwords_wait_for_a_second(waiting)
    waiting.clock.advance(seconds=1)
    assert await unlocked_kinds(waiting) == []
    assert await attempt()


async def unlocked_kinds(world: World) -> Sequence[AttemptKind]:
    return [pause.of for pause in await unlock_account(world.env, COMMAND_LINE, await ada_of(world)) or ()]


@pytest.mark.parametrize("begin", [passwords_wait, codes_wait, sign_in_codes_wait_in_a_network])
async def test_o42_an_unlock_in_another_process_lets_the_person_in(
    backend: Backend, begin: Callable[[World], Awaitable[Try]]
) -> None:
    async with world_on(backend, WAITING) as world, world_on(backend, WAITING, clock=world.clock) as other:
        attempt = await begin(world)
        assert not await attempt()
        assert await unlocked_kinds(other)
        assert await attempt()
