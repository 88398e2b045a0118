"""What was dated by a clock that was ahead: good for no longer than it should be, and no lock for anybody."""

import asyncio
from datetime import timedelta

import pytest

from tests.harness.world import World
from vestibule.flows.env import Env
from vestibule.flows.find_people import find_account
from vestibule.flows.identify import Caller
from vestibule.flows.reauthenticate import require_recent_sign_in
from vestibule.model.accounts import Account
from vestibule.model.errors import ReauthenticationRequired
from vestibule.model.letters import LetterKind
from vestibule.model.limits import Limit
from vestibule.model.login_attempts import AttemptCounter, LoginAttemptLimits
from vestibule.wiring import background

NONE, HOURS, DAYS = timedelta(), timedelta(hours=3), timedelta(days=400)
EMAIL = "ada@example.com"
LEADS = pytest.mark.parametrize("lead", [HOURS, DAYS])


async def account_of(world: World) -> Account:
    account = await find_account(world.env, EMAIL)
    assert account is not None
    return account


@LEADS
async def test_s15_what_was_counted_by_a_clock_ahead_holds_up_nobody_once_it_is_right(
    world: World, lead: timedelta
) -> None:
    now, limit, limits = world.clock.now(), Limit("letters", 1, timedelta(hours=1)), LoginAttemptLimits()
    mine = AttemptCounter("mine", None)
    async with world.env.store.transaction() as tx:
        assert await tx.rate_counters.take(limit, EMAIL, now + lead)
        assert not await tx.rate_counters.take(limit, EMAIL, now + lead)
        while await tx.login_attempts.take(mine, limits, now + lead):
            pass
    async with world.env.store.transaction() as tx:
        assert await tx.rate_counters.take(limit, EMAIL, now)
        assert not await tx.rate_counters.take(limit, EMAIL, now)
        assert await tx.login_attempts.take(mine, limits, now)
        assert not await tx.login_attempts.take(mine, limits, now), "and from here on as ever"


@LEADS
async def test_s15_a_link_by_a_clock_ahead_is_good_for_nothing_but_to_undo(world: World, lead: timedelta) -> None:
    await world.register()
    world.clock.set_ahead(lead)
    browser = await world.client()
    await browser.post("/api/auth/forgotpassword", json={"email": EMAIL})
    await world.deliver()
    secret = world.secret(LetterKind.RESET_PASSWORD)
    for ahead, status in ((NONE, 403), (lead, 200)):
        world.clock.set_ahead(ahead)
        body = {"password": "battery staple", "passwordConfirm": "battery staple"}
        answer = await browser.patch(f"/api/auth/resetpassword/{secret}", json=body)
        assert answer.status_code == status, answer.text


@LEADS
async def test_s15_a_reset_by_a_clock_ahead_ends_what_it_takes_for_over(world: World, lead: timedelta) -> None:
    """S15: the thief's session, which lives by a clock that is right."""
    await world.register()
    thief = await world.sign_in()
    world.clock.set_ahead(lead)
    browser = await world.client()
    await browser.post("/api/auth/forgotpassword", json={"email": EMAIL})
    await world.deliver()
    path = f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    body = {"password": "battery staple", "passwordConfirm": "battery staple"}
    assert (await browser.patch(path, json=body)).status_code == 200
    world.clock.set_ahead(NONE)
    assert (await thief.get("/api/users/me")).status_code == 401
    assert (await thief.post("/api/auth/refresh")).status_code == 403


@LEADS
async def test_s15_a_sign_in_of_later_is_none_of_lately(world: World, lead: timedelta) -> None:
    await world.register()
    account, env = await account_of(world), world.env
    await world.sign_in()
    now = env.clock.now()
    async with env.store.reading() as read:
        (session,) = await read.sessions.of_account(account.id, 9, now)
        lately, later = (
            Caller(session.id, account, session.idle_expires_at, authenticated_at=int(moment.timestamp()))
            for moment in (now, now + lead)
        )
        await require_recent_sign_in(env, read, lately, now)
        with pytest.raises(ReauthenticationRequired):
            await require_recent_sign_in(env, read, later, now)


async def test_s15_nothing_old_is_looked_for_until_the_clock_has_stood(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S15: it was set ahead during the first pause, and stands during the second."""
    cleaned, pauses = list[bool](), iter([DAYS, DAYS])

    async def noted(_env: Env) -> dict[str, int]:
        cleaned.append(True)
        return {}

    async def none(_env: Env) -> int:
        return 0

    async def pause(_seconds: float) -> None:
        if (lead := next(pauses, None)) is None:
            raise asyncio.CancelledError
        world.clock.set_ahead(lead)
        assert not cleaned

    monkeypatch.setattr(background, "clean_up", noted)
    monkeypatch.setattr(background, "purge_old_revocations", none)
    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "sleep", pause)
        with pytest.raises(asyncio.CancelledError):
            await background.clean_up_repeatedly(world.env)
    assert cleaned == [True]
