"""What can be learnt by asking for codes and guessing them: nothing of accounts, and few guesses."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.statements import statements
from tests.harness.world import POLICY, World, mandatory_verification, world_on
from tests.stories.attempts.test_login_attempts import stranger
from tests.stories.factors.codes import ADA, ASK, VERIFY, another, ask, asked, mailed_codes, typed, verified
from tests.stories.factors.test_second_step import reset_password
from vestibule.flows.administer import disable_account
from vestibule.flows.clean_up import clean_up
from vestibule.flows.find_people import find_account
from vestibule.model.email_codes import GUESSES
from vestibule.model.factor_attempts import EMAIL_CODE_LIMITS
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE

NOBODY, UNVERIFIED, DISABLED = "nobody@example.com", "unverified@example.com", "disabled@example.com"
WRONG = "0000-0000"
LIMIT, OF_A_DEVICE = EMAIL_CODE_LIMITS.at_most, EMAIL_CODE_LIMITS.of_a_device.at_most
A_DAY = POLICY.letters.codes_a_day.times
MASKED = ("email_code=", "date", "x-request-id")


def said(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All of an answer but the secret handle and what is another at each request."""
    headers = [
        (name, value.split(";", 1)[1] if value.startswith("email_code=v1.") else value)
        for name, value in answer.headers.multi_items()
        if name not in {"date", "x-request-id", "request-id"}
    ]
    return answer.status_code, answer.content, headers


async def people(world: World) -> list[str]:
    """An email of each kind: an account, none, one that is not verified, one that is disabled."""
    await verified(world)
    await verified(world, DISABLED)
    await disable_account(world.env, COMMAND_LINE, await find_account(world.env, DISABLED))
    await world.register(UNVERIFIED)
    return [ADA, NOBODY, UNVERIFIED, DISABLED]


async def story(world: World, email: str) -> list[tuple[int, bytes, list[tuple[str, str]]]]:
    """What somebody is told who asks for codes to an email and guesses until nothing is checked any more."""
    answers = []
    for _ in range(A_DAY + 2):
        browser = await stranger(world, "198.51.100.7")
        async with browser:
            answers.append(await browser.post(ASK, json={"email": email}))
            await world.deliver()
            answers += [await browser.post(VERIFY, json={"code": WRONG}) for _ in range(GUESSES.times + 1)]
    return [said(answer) for answer in answers]


@pytest.mark.parametrize("policy", [POLICY, replace(mandatory_verification(), conceal_accounts=True)])
async def test_f50_asking_and_guessing_tell_nothing_of_accounts(backend: Backend, policy: object) -> None:
    """F50: the same bytes and headers, from the first question until the budget is spent."""
    async with world_on(backend, policy) as world:  # type: ignore[arg-type]  # parametrized
        ada, *others = [await story(world, email) for email in await people(world)]
        assert {status for status, _, _ in ada} == {200, 403}
        assert len(mailed_codes(world)) == A_DAY
        for other in others:
            assert other == ada


async def test_f50_asking_and_guessing_run_the_same_statements(world: World) -> None:
    """F50: so that time tells as little."""
    emails = await people(world)
    seen = []
    for email in emails:
        browser = await world.client()
        with statements() as sent:
            assert (await browser.post(ASK, json={"email": email})).status_code == 200
            assert await typed(browser, WRONG) == "email_code_wrong"
        seen.append(list(sent))
    assert all(sent == seen[0] for sent in seen)
    assert seen[0]


async def test_f50_a_code_allows_five_guesses(world: World) -> None:
    """F50: then the right one is refused too, in that browser; another one may be asked for."""
    await verified(world)
    browser = await world.client()
    code = await asked(world, browser)
    for _ in range(GUESSES.times):
        assert await typed(browser, another(code)) == "email_code_wrong"
    assert await typed(browser, code) == "email_code_spent"
    assert await typed(browser, await asked(world, browser)) == "ok"


async def test_f50_an_account_has_a_budget_of_its_own(world: World) -> None:
    """F50: a right password does not reset it, and it is not that of a second factor or the password; a reset by mail
    begins it anew, and so does a day.
    """
    await verified(world)
    known = await world.sign_in()
    for begins_anew in (reset_password, _a_day_later):
        answers: Counter[str] = Counter()
        for _ in range((LIMIT + OF_A_DEVICE) // GUESSES.times + 1):
            right = await asked(world, known)
            for _ in range(GUESSES.times):
                answers[await typed(known, another(right))] += 1
        assert answers == {"email_code_wrong": LIMIT + OF_A_DEVICE, "email_codes_paused": GUESSES.times}
        assert await typed(known, await asked(world, known)) == "email_codes_paused"
        await begins_anew(world, known)
        fresh = await world.client()
        assert await typed(fresh, await asked(world, fresh)) == "ok"
        known = await world.sign_in(password="battery staple")


async def _a_day_later(world: World, _: httpx.AsyncClient) -> None:
    world.clock.advance(seconds=timedelta(days=1, seconds=1).total_seconds())


async def test_f50_after_a_day_it_is_still_the_same_for_everybody(world: World) -> None:
    """F50: also after a month, when the counter of no account is forgotten."""
    emails = await people(world)
    for days in (0, 1, 31):
        world.clock.advance(seconds=timedelta(days=days, seconds=1).total_seconds())
        await clean_up(world.env)
        answers = [await story(world, email) for email in emails]
        assert all(answer == answers[0] for answer in answers)


async def test_f52_an_unverified_email_is_asked_to_be_verified_instead(world: World) -> None:
    """F52: who reads the mail there is not signed in to what a stranger has set up (pre-hijack)."""
    await world.register()
    browser = await world.client()
    before = len(world.mailer.letters)
    await ask(world, browser)
    (letter,) = world.mailer.letters[before:]
    assert (letter.kind, letter.code) == (LetterKind.VERIFY_EMAIL, "")
    assert mailed_codes(world) == []
    link = letter.link.rpartition("/")[2]
    assert (await browser.get(f"/api/auth/verifyemail/{link}")).status_code == 200
    assert await typed(browser, await asked(world, browser)) == "ok"


async def test_f52_nobody_is_mailed_a_code_without_an_account(world: World) -> None:
    """F52: nor to a disabled account."""
    await people(world)
    before = len(world.mailer.letters)
    for email in (NOBODY, DISABLED):
        await ask(world, await world.client(), email)
    assert len(world.mailer.letters) == before


async def test_f52_codes_count_against_the_letters_of_an_email_and_a_network(backend: Backend) -> None:
    """F52: mailboxes are not flooded, also not from many networks or for many emails."""
    letters = replace(POLICY.letters, for_network=replace(POLICY.letters.for_network, times=2))
    async with world_on(backend, replace(POLICY, letters=letters)) as world:
        for email in (ADA, "bob@example.com", "eve@example.com"):
            await verified(world, email)
        async with await stranger(world, "198.51.100.9") as thief:
            for email in (ADA, "bob@example.com", "eve@example.com"):
                await ask(world, thief, email)
        assert [len(mailed_codes(world, email)) for email in (ADA, "bob@example.com", "eve@example.com")] == [1, 1, 0]
