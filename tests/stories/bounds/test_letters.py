"""How many letters can be made to leave, of every kind, by ten times as many tries; and which goes first."""

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.docs.paths import ROOT
from tests.harness import backends
from tests.harness.authenticator import Authenticator, Lie
from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import POLICY, World, world_on
from tests.stories.bounds import fill, number_as_id, numbers
from tests.stories.factors.apps import CODES, enrol, first_step, prove, second_step
from tests.stories.factors.resets import RESET
from tests.stories.passkeys import MINE, add, store_passkey
from tests.stories.passkeys import sign_in as sign_in_by
from tests.unit.flows import DONE, EMAIL, PASSWORD, ask_for_change, ask_for_reset, confirm, twice, verify
from tests.unit.flows.acts import an_operator
from vestibule.crypto.entropy import new_id
from vestibule.flows.deliver import deliver_next
from vestibule.flows.find_people import find_account
from vestibule.flows.impersonate import impersonate
from vestibule.flows.invite import invite
from vestibule.flows.look_after_mail import send_test_letter
from vestibule.flows.reset_factors import begin_reset
from vestibule.flows.tell_owner import NOTICES_A_DAY, tell_owner
from vestibule.model.factor_resets import OPERATOR_WAIT, FactorReset
from vestibule.model.letters import NOTICES, Letter, LetterKind, NotSent, QueuedLetter
from vestibule.model.limits import LetterLimits
from vestibule.model.operator_errors import OwnerNotTold, TooManyLinks
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.outbox import NOTICES_WAIT
from vestibule.model.passkeys import MOST_PASSKEYS
from vestibule.storage.sql.schema import letters

FEW = LetterLimits.per_hour(1, 100_000, timedelta(minutes=5))
LIMITED = replace(POLICY, letters=FEW, conceal_accounts=True, factor_reset_wait=timedelta(days=7))
OPEN = replace(LIMITED, conceal_accounts=False)
A_DAY, FIRST = FEW.to_mailbox.times, FEW.to_email.first_few
SPACED = 10  # in a day, where the second waits for an hour, the third for two, and each other for three
ALL_DAY = 10 * SPACED
APART = timedelta(days=1) / (ALL_DAY + 1)
OFTEN = 3 * NOTICES_A_DAY
MANY = 300


async def request_resets(world: World) -> None:
    for _ in range(ALL_DAY):
        await ask_for_reset(world)
        await later(world)


async def request_codes(world: World) -> None:
    """From a new browser each time."""
    for _ in range(ALL_DAY):
        browser = await world.client()
        assert (await browser.post("/api/auth/email-code", json={"email": EMAIL})).status_code == 200
        await later(world)


async def request_verification(world: World) -> None:
    browser = await world.client()
    await world.register("grace@example.com")
    for _ in range(ALL_DAY):
        assert (await browser.post("/api/auth/verifyemail", json={"email": "grace@example.com"})).status_code == 200
        await later(world)


async def register_what_is_taken(world: World) -> None:
    browser = await world.client()
    for _ in range(ALL_DAY):
        body = {"name": "Eve", "email": EMAIL, **twice("another horse")}
        assert (await browser.post("/api/auth/register", json=body)).status_code == 201
        await later(world)


async def move(world: World) -> None:
    """To another email each time, and there, if a letter comes."""
    email = EMAIL
    for number in range(10 * A_DAY):
        browser, before = await world.sign_in(email), len(world.mailer.letters)
        assert await ask_for_change(browser, f"moved{number}@example.com") == 200
        await world.deliver()
        if world.mailer.letters[before:]:
            assert await confirm(browser, world.secret(LetterKind.CONFIRM_NEW_EMAIL)) == DONE
            email = f"moved{number}@example.com"
        await later(world)


async def change_passwords(world: World) -> None:
    browser, password = await world.sign_in(), PASSWORD
    for number in range(OFTEN):
        body = {"currentPassword": password, **twice(password := f"another horse {number}")}
        assert (await browser.patch("/api/users/me/password", json=body)).status_code == 200
        await later(world, timedelta(seconds=1))


async def come_with_new_devices(world: World) -> None:
    for number in range(OFTEN):
        await come_as(await world.client(), f"program {number}")
        await later(world, timedelta(seconds=1))


async def use_tokens_twice(world: World) -> None:
    for _ in range(OFTEN):
        browser = await world.sign_in()
        stolen = {"refresh_token": browser.cookies["refresh_token"]}
        for _ in range(2):
            assert (await browser.post("/api/auth/refresh")).status_code == 200
        thief = await world.client()
        thief.cookies.update(stolen)
        assert (await thief.post("/api/auth/refresh")).status_code == 403
        await later(world, timedelta(seconds=1))


async def change_factors(world: World) -> None:
    """A passkey that comes and goes each time, until no more are added, and new codes beside it."""
    browser = await world.sign_in()
    app, _ = await enrol(world, browser)
    for _ in range(OFTEN):
        await prove(browser, app)
        added = await add(browser, Authenticator())
        assert (await browser.post(CODES)).status_code in {200, 429}
        if added.status_code == 429:
            continue
        assert (await browser.delete(f"{MINE}/{added.json()['data']['passkey']['id']}")).status_code == 200
        await later(world, timedelta(seconds=30))


async def use_recovery_codes(world: World) -> None:
    """One after the other, and ten new ones when they are used up."""
    browser = await world.sign_in()
    _, codes = await enrol(world, browser)
    for number in range(OFTEN):
        client = await world.client()
        await first_step(client, EMAIL, PASSWORD)
        assert await second_step(client, codes[number % 10]) == "ok"
        if number % 10 == 9:
            codes = (await client.post(CODES)).json()["data"]["recovery_codes"]
        await later(world, timedelta(seconds=1))


async def use_copies(world: World) -> None:
    """Of as many passkeys as an account may have."""
    ada = await find_account(world.env, EMAIL)
    assert ada is not None
    for _ in range(MOST_PASSKEYS):
        await store_passkey(world, key := Authenticator())
        for _ in range(3):
            assert (await sign_in_by(await world.client(), key, Lie(count=1))).status_code == 200
            await later(world, timedelta(seconds=1))


async def type_wrong_codes(world: World) -> None:
    """All day, by app and by recovery code, from new browsers with the right password."""
    await enrol(world, await world.sign_in())
    for number in range(ALL_DAY):
        browser = await world.client()
        await first_step(browser, EMAIL, PASSWORD)
        assert await second_step(browser, ("x", "0-00000-00000")[number % 2]) in {"wrong_code", "second_factor_paused"}
        await later(world)


async def report_lost_factors(world: World) -> None:
    """With the password, all day, and nobody opens a link."""
    await enrol(world, await world.sign_in())
    for _ in range(ALL_DAY):
        await first_step(browser := await world.client(), EMAIL, PASSWORD)
        assert (await browser.post("/api/auth/login/second-factor/lost")).status_code == 200
        await later(world)


async def keep_lost_factors(world: World) -> None:
    """An operator begins as often as he likes, somebody who is signed in cancels it, and the last one ends."""
    browser, ada = await world.sign_in(), await find_account(world.env, EMAIL)
    assert ada is not None
    await enrol(world, browser)
    for _ in range(OFTEN):
        assert (await browser.delete(RESET)).status_code == 404
        assert isinstance(await begin_reset(world.env, COMMAND_LINE, ada), FactorReset)
        await later(world, timedelta(seconds=1))
        assert (await browser.delete(RESET)).status_code == 200
    await begin_reset(world.env, COMMAND_LINE, ada)
    await later(world, OPERATOR_WAIT)
    for _ in range(OFTEN):
        await world.sign_in()
    await world.deliver()


async def act_as_somebody(world: World) -> None:
    """An operator does, again and again, until the owner would not be told."""
    ada, operator = await find_account(world.env, EMAIL), await an_operator(world)
    assert ada is not None
    for _ in range(OFTEN):
        with suppress(OwnerNotTold):
            await impersonate(world.env, operator, ada.id, "a ticket")
        await later(world, timedelta(seconds=1))


async def try_the_mail_server(world: World) -> None:
    """An operator does, and past the outbox."""
    await send_test_letter(world.env, EMAIL, "en")
    assert await waiting(world) == 0
    world.mailer.letters.clear()


async def invite_often(world: World) -> None:
    for _ in range(OFTEN):
        with suppress(TooManyLinks):
            await invite(world.env, COMMAND_LINE, "Bob", "bob@example.com")
        await later(world)


BOUNDS: dict[Callable[[World], Awaitable[None]], dict[LetterKind, int]] = {
    request_verification: {LetterKind.VERIFY_EMAIL: 1 + SPACED},
    request_codes: {LetterKind.SIGN_IN_CODE: SPACED},
    request_resets: {LetterKind.RESET_PASSWORD: SPACED},
    move: {LetterKind.CONFIRM_NEW_EMAIL: A_DAY, LetterKind.EMAIL_CHANGED: A_DAY},
    register_what_is_taken: {LetterKind.EMAIL_TAKEN: SPACED},
    change_passwords: {LetterKind.PASSWORD_CHANGED: NOTICES_A_DAY},
    come_with_new_devices: {LetterKind.NEW_DEVICE: NOTICES_A_DAY},
    use_tokens_twice: {LetterKind.TOKEN_REUSED: NOTICES_A_DAY},
    change_factors: {
        LetterKind.FACTOR_ADDED: NOTICES_A_DAY,
        LetterKind.FACTOR_REMOVED: NOTICES_A_DAY,
        LetterKind.RECOVERY_CODES_MADE: NOTICES_A_DAY,
    },
    use_recovery_codes: {LetterKind.RECOVERY_CODE_USED: NOTICES_A_DAY},
    use_copies: {LetterKind.PASSKEY_MAY_BE_COPIED: NOTICES_A_DAY},
    type_wrong_codes: {LetterKind.SECOND_FACTOR_PAUSED: 1},
    report_lost_factors: {LetterKind.FACTORS_LOST: 3},
    keep_lost_factors: {
        LetterKind.FACTOR_RESET_BEGUN: OFTEN + 1,  # the operator's own doing
        LetterKind.FACTOR_RESET_CANCELED: NOTICES_A_DAY,
        LetterKind.FACTORS_RESET: 1,  # after a day's wait each
    },
    act_as_somebody: {LetterKind.ACTING_BEGUN: NOTICES_A_DAY},
    try_the_mail_server: {LetterKind.TEST: 0},
    invite_often: {LetterKind.INVITATION: A_DAY},
}
QUEUEING = {
    "ask_for_letter.py": "counted there",
    "register.py": "counted by `count_letter_to_email`, or `count_letter_of_new_account`",
    "change_email.py": "counted by `count_letter_of_account`; the notice and the way back, by the link that was spent",
    "verify_email.py": "counted by the link that was spent",
    "tell_owner.py": "counted there",
    "reset_factors.py": "one at a time for an account, begun by the operator or by a link that was spent",
    "report_lost_factors.py": "counted there",
    "remove_new_factor.py": "counted by the link that was spent",
    "mail_link.py": "by operators alone; counted there",
    "invite.py": "by operators alone; counted by `count_link_of_operator`",
    "set_email.py": "by operators alone; counted by `count_link_of_operator`",
}


async def later(world: World, apart: timedelta = APART) -> None:
    await world.deliver()
    world.clock.advance(seconds=apart.total_seconds())


async def come_as(browser: httpx.AsyncClient, program: str) -> None:
    browser.headers["User-Agent"] = program
    answer = await browser.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 200


async def waiting(world: World) -> int:
    async with world.env.store.reading() as read:
        return (await read.letters.counts()).waiting


async def verified(world: World) -> str:
    """The id of an account whose email is verified."""
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    world.mailer.letters.clear()
    account = await find_account(world.env, EMAIL)
    assert account is not None
    return account.id


@pytest.mark.parametrize("do", BOUNDS)
async def test_n14_of_no_kind_leave_more_in_a_day_than_its_bound(
    tmp_path: Path, do: Callable[[World], Awaitable[None]]
) -> None:
    """N14: somebody tries far more often, all day; what follows tries each notice at ten times its bound."""
    async with backends.fresh("sqlite", tmp_path) as backend, world_on(backend, LIMITED) as world:
        await verified(world)
        await do(world)
        sent = Counter(letter.kind for letter in world.mailer.letters)
        for kind, bound in BOUNDS[do].items():
            assert bool(bound) <= sent[kind] <= bound
        assert await waiting(world) == 0


def test_n14_every_kind_has_a_bound() -> None:
    assert sorted(kind for bounds in BOUNDS.values() for kind in bounds) == sorted(LetterKind)


@pytest.mark.parametrize("kind", sorted(NOTICES))
async def test_n14_at_ten_times_its_bound_a_notice_is_told_as_often_as_that(world: World, kind: LetterKind) -> None:
    """N14: and tomorrow again."""
    account_id = await verified(world)
    for day in (1, 2):
        async with world.env.store.transaction() as tx:
            for _ in range(10 * NOTICES_A_DAY):
                await tell_owner(tx, QueuedLetter(new_id(), kind, world.clock.now(), account_id))
        assert await waiting(world) == day * NOTICES_A_DAY
        world.clock.advance(days=1)


async def test_n14_who_registers_an_email_anew_over_and_over_sends_no_more(backend: Backend) -> None:
    """N14: each time the account is deleted, which is anybody's who made it."""
    async with world_on(backend, OPEN) as world:
        for _ in range(10 * FIRST):
            await world.register()
            browser = await world.sign_in()
            await delete(browser)
            await later(world)
        assert len(world.mailer.letters) == FIRST
        await world.register("grace@example.com")
        assert len(world.mailer.letters) == FIRST + 1


async def delete(browser: httpx.AsyncClient) -> None:
    csrf = csrf_in(await browser.get("/profile/delete"))
    answer = await browser.post("/profile/delete", data={"csrf": csrf, "currentPassword": PASSWORD})
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("kind", sorted(NOTICES))
async def test_n14_no_other_kind_spends_what_a_notice_has(world: World, kind: LetterKind) -> None:
    """N14: nothing harmless, done often, keeps the owner from being told of something else."""
    account_id, now = await verified(world), world.clock.now()
    async with world.env.store.transaction() as tx:
        for other in [each for each in NOTICES if each is not kind] * 2 * NOTICES_A_DAY:
            await tell_owner(tx, QueuedLetter(new_id(), other, now, account_id))
        assert (await tx.letters.counts()).waiting == (len(NOTICES) - 1) * NOTICES_A_DAY
        await tell_owner(tx, QueuedLetter(new_id(), kind, now, account_id))
        assert (await tx.letters.counts()).waiting == (len(NOTICES) - 1) * NOTICES_A_DAY + 1


def test_n14_every_place_that_queues_a_letter_says_by_what_it_is_counted() -> None:
    source = ROOT / "src" / "vestibule"
    assert {path.name for path in source.rglob("*.py") if "letters.queue(" in path.read_text()} == set(QUEUEING)


async def notices(world: World, account_id: str) -> None:
    """Many that wait, which are due now."""
    n, now = numbers(MANY), world.clock.now()
    row = {"id": number_as_id(n), "kind": "password_changed", "account_id": account_id, "email": EMAIL}
    times = {"created_at": now, "due_at": now, "attempts": 0, "detail": "{}"}
    await fill(world, letters, MANY, row | times, n)


@pytest.mark.parametrize("kind", sorted(set(LetterKind) - NOTICES))
async def test_n15_what_somebody_waits_for_goes_before_any_number_of_notices(world: World, kind: LetterKind) -> None:
    account_id = await verified(world)
    await notices(world, account_id)
    world.clock.advance(seconds=1)
    asked = QueuedLetter(new_id(), kind, world.clock.now(), account_id)
    async with world.env.store.transaction() as tx:
        await tx.letters.queue(asked)
        claimed = await tx.letters.claim(world.clock.now())
        assert claimed is not None
        assert claimed.id == asked.id
        others = [await tx.letters.claim(world.clock.now()) for _ in range(MANY)]
        assert {other.kind for other in others if other is not None} == {LetterKind.PASSWORD_CHANGED}
        assert await tx.letters.claim(world.clock.now()) is None


async def test_n15_also_when_it_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """N15: its mail server did not take it at once."""
    account_id = await verified(world)
    await notices(world, account_id)
    await ask_for_reset(world)

    async def not_now(_: Letter) -> str:
        raise NotSent("451 greylisted")

    with monkeypatch.context() as away:
        away.setattr(world.mailer, "send", not_now)
        await deliver_next(world.env)
    world.clock.advance(seconds=5)
    await deliver_next(world.env)
    assert [letter.kind for letter in world.mailer.letters] == [LetterKind.RESET_PASSWORD]


async def test_n15_no_number_of_others_holds_a_notice_up_for_long(world: World) -> None:
    """N15: somebody who has many letters sent does not keep an owner from being told."""
    account_id = await verified(world)
    await notices(world, account_id)
    world.clock.advance(seconds=NOTICES_WAIT.total_seconds())
    await ask_for_reset(world)
    await deliver_next(world.env)
    assert [letter.kind for letter in world.mailer.letters] == [LetterKind.PASSWORD_CHANGED]
