"""The limits of a refresh: idle and absolute ends, the settings that change it, faults, and the reasons it gives."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from vestibule.flows.administer import disable_account, sign_out_everywhere
from vestibule.flows.find_people import find_account
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.sessions import MAX_LIVE_SUCCESSORS
from vestibule.settings import reading
from vestibule.settings.to_policy import to_policy

REFRESH = "/api/auth/refresh"
ME = "/api/users/me"
EMAIL = "ada@example.com"
LATE = POLICY.sessions.refresh_grace.total_seconds() + 1
Deed = Callable[[World, httpx.AsyncClient], Awaitable[None]]


@asynccontextmanager
async def signed_in(
    backend: Backend, idle_minutes: float = 60, absolute_minutes: float = 24 * 60
) -> AsyncIterator[tuple[World, httpx.AsyncClient]]:
    """A world with these limits, and a browser that is signed in."""
    limits = replace(
        POLICY.sessions, idle=timedelta(minutes=idle_minutes), absolute=timedelta(minutes=absolute_minutes)
    )
    async with world_on(backend, replace(POLICY, sessions=limits)) as world:
        await world.register()
        yield world, await world.sign_in()


@asynccontextmanager
async def signed_in_under(
    backend: Backend, folder: Path, monkeypatch: pytest.MonkeyPatch, **environment: str
) -> AsyncIterator[tuple[World, httpx.AsyncClient]]:
    """The same, with the limits that an operator's settings make."""
    monkeypatch.chdir(folder)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with world_on(backend, replace(POLICY, sessions=to_policy(reading.read()).sessions)) as world:
        await world.register()
        yield world, await world.sign_in()


async def refresh_with(client: httpx.AsyncClient, token: str) -> httpx.Response:
    """What somebody gets who has nothing but this token."""
    client.cookies.clear()
    return await client.get(REFRESH, headers={"Cookie": f"refresh_token={token}"})


def cookies_in(answer: httpx.Response) -> list[str]:
    return sorted(line.partition("=")[0] for line in answer.headers.get_list("set-cookie"))


def no(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of what is no success; it touches no cookie."""
    assert "set-cookie" not in answer.headers
    return answer.status_code, answer.json()["code"]


async def test_each_rotation_moves_the_idle_end(backend: Backend) -> None:
    """R5, S6: each rotation moves the idle end."""
    async with signed_in(backend) as (world, browser):
        for _ in range(5):
            world.clock.advance(minutes=59)
            assert (await browser.get(REFRESH)).status_code == 200
        world.clock.advance(minutes=60)
        assert no(await refresh_with(browser, browser.cookies["refresh_token"])) == (403, "session_idle")


async def test_no_rotation_moves_the_absolute_end(backend: Backend) -> None:
    """R5, S6: no rotation moves the absolute end."""
    async with signed_in(backend, idle_minutes=60, absolute_minutes=90) as (world, browser):
        for _ in range(2):
            world.clock.advance(minutes=44)
            answer = await browser.get(REFRESH)
            assert answer.status_code == 200
        ages = dict(cookie.split("; ")[:2] for cookie in answer.headers.get_list("set-cookie"))
        assert set(ages.values()) == {"Max-Age=120"}, "no cookie outlives the session"
        world.clock.advance(minutes=2)
        assert no(await refresh_with(browser, browser.cookies["refresh_token"])) == (403, "session_expired")


async def test_a_race_within_the_grace_does_not_move_the_idle_end(backend: Backend) -> None:
    async with signed_in(backend, idle_minutes=1) as (world, browser):
        spent = browser.cookies["refresh_token"]
        successors = set()
        for _ in range(6):
            assert (await refresh_with(browser, spent)).status_code == 200
            successors.add(browser.cookies["refresh_token"])
            world.clock.advance(seconds=2)
        world.clock.advance(seconds=48)
        assert no(await refresh_with(browser, successors.pop())) == (403, "session_idle")
        assert not successors


async def test_the_seventeenth_live_successor_ends_the_session(backend: Backend) -> None:
    async with signed_in(backend) as (world, browser):
        kept = browser.cookies["refresh_token"]
        for _ in range(MAX_LIVE_SUCCESSORS):
            assert (await refresh_with(browser, kept)).status_code == 200
            world.clock.advance(seconds=LATE)
        successor = browser.cookies["refresh_token"]
        for token in (kept, kept, successor):
            assert no(await refresh_with(browser, token)) == (403, "session_refresh_token_reused")


async def test_without_rotation_one_token_serves_to_the_end_of_the_session(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotation_off = {"VESTIBULE_REFRESH_ROTATION": "off"}
    async with signed_in_under(backend, tmp_path, monkeypatch, **rotation_off) as (world, browser):
        token = browser.cookies["refresh_token"]
        for _ in range(3):
            world.clock.advance(minutes=19)
            answer = await browser.get(REFRESH)
            assert answer.status_code == 200
            assert cookies_in(answer) == ["access_token", "logged_in"]
            assert (await browser.get(ME)).status_code == 200
        assert browser.cookies["refresh_token"] == token
        world.clock.advance(minutes=3)
        assert no(await refresh_with(browser, token)) == (403, "session_idle"), "nothing moved its end"


async def test_with_no_grace_a_racer_gets_a_successor_of_its_own(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4: with no grace a racer gets a successor of its own."""
    no_grace = {"VESTIBULE_REFRESH_GRACE_SECONDS": "0"}
    async with signed_in_under(backend, tmp_path, monkeypatch, **no_grace) as (world, browser):
        spent, successors = browser.cookies["refresh_token"], []
        for _ in range(2):
            assert (await refresh_with(browser, spent)).status_code == 200
            successors.append(browser.cookies["refresh_token"])
            world.clock.advance(microseconds=1)
        assert successors[0] != successors[1]
        assert (await refresh_with(browser, successors[0])).status_code == 200, "the first one used wins"
        world.clock.advance(microseconds=1)
        assert no(await refresh_with(browser, successors[1])) == (403, "session_refresh_token_reused")


async def test_without_a_database_it_is_a_fault_and_no_refusal(backend: Backend) -> None:
    async with signed_in(backend) as (world, browser):
        held = dict(browser.cookies)
        await world.take_database_away()
        answer = await browser.get(REFRESH)
        assert no(answer) == (503, "store_unavailable")
        assert (answer.json()["status"], answer.headers["retry-after"]) == ("error", "1")
        assert "refresh" not in answer.json()["message"]
        assert dict(browser.cookies) == held


async def signed_out(world: World, browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/api/auth/logout")).status_code == 200


async def reused(world: World, browser: httpx.AsyncClient) -> None:
    stolen = browser.cookies["refresh_token"]
    for _ in range(2):
        assert (await browser.get(REFRESH)).status_code == 200
    assert (await refresh_with(browser, stolen)).status_code == 403


async def password_reset(world: World, browser: httpx.AsyncClient) -> None:
    await browser.post("/api/auth/forgotpassword", json={"email": EMAIL})
    await world.deliver()
    body = {"password": "staple battery", "passwordConfirm": "staple battery"}
    path = f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    assert (await browser.patch(path, json=body)).status_code == 200


async def account_disabled(world: World, browser: httpx.AsyncClient) -> None:
    account = await find_account(world.env, EMAIL)
    assert account is not None
    assert await disable_account(world.env, COMMAND_LINE, account) == 1


async def ended_by_operator(world: World, browser: httpx.AsyncClient) -> None:
    account = await find_account(world.env, EMAIL)
    assert account is not None
    assert await sign_out_everywhere(world.env, COMMAND_LINE, account) == 1


async def unused_for_ten_minutes(world: World, browser: httpx.AsyncClient) -> None:
    world.clock.advance(minutes=10)


# What ends a session whose idle limit is ten minutes, and its absolute limit in minutes. They are this short so that
# the session is over before its access token is.
REASONS: dict[str, tuple[Deed, float]] = {
    "session_signed_out": (signed_out, 30),
    "session_refresh_token_reused": (reused, 30),
    "session_password_reset": (password_reset, 30),
    "session_account_disabled": (account_disabled, 30),
    "session_ended_by_operator": (ended_by_operator, 30),
    "session_idle": (unused_for_ten_minutes, 30),
    "session_expired": (unused_for_ten_minutes, 10),
}


@pytest.mark.parametrize("code", REASONS)
async def test_both_refusals_say_why_the_session_is_over(code: str, backend: Backend) -> None:
    deed, absolute_minutes = REASONS[code]
    async with signed_in(backend, 10, absolute_minutes) as (world, browser):
        held = await world.client()
        held.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        await deed(world, browser)
        refresh, me = await held.get(REFRESH), await held.get(ME)
        assert no(refresh) == (403, code)
        assert refresh.json()["message"] == "Could not refresh access token"
        assert no(me) == (401, code)
        assert me.json()["message"] == "Invalid token or session has expired"


async def test_who_comes_back_much_later_is_still_told_why(backend: Backend) -> None:
    async with signed_in(backend) as (world, browser):
        world.clock.advance(hours=7)
        assert no(await refresh_with(browser, browser.cookies["refresh_token"])) == (403, "session_idle")
