"""Events: each is told once, none tells a secret, and none is kept for longer than it should be."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.harness import dump
from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from vestibule.crypto.entropy import new_id
from vestibule.flows.watch_events import find_events, purge_old_events
from vestibule.model.events import Event, EventFilter, EventKind
from vestibule.model.letters import LetterKind

ADA = "ada@example.com"
CANARY = "CANARY-of-ada-and-nobody-else"
SECOND_CANARY = "CANARY-the-second-of-hers"
NAUGHTY = [
    "a\r\nb",
    "\x1b[31mred",
    "x\u2028y\u2029z",
    '{"event": "signed_in"}',
    "\u202eevil",
    "\x00",
    "\x85",
    "\U0001f511",
]


async def a_day(world: World) -> Counter[str]:
    """Somebody's day, all of it by the API; and what of it has to be told."""
    await world.register(ADA, CANARY)
    code = world.secret(LetterKind.VERIFY_EMAIL)
    browser = await world.sign_in(ADA, CANARY)
    other = await world.sign_in(ADA, CANARY)
    for _ in range(3):
        await other.post("/api/auth/login", json={"email": ADA, "password": "wrong horse"})
    await browser.get(f"/api/auth/verifyemail/{code}")
    change = {"currentPassword": CANARY, "password": SECOND_CANARY, "passwordConfirm": SECOND_CANARY}
    assert (await browser.patch("/api/users/me/password", json=change)).status_code == 200
    await browser.post("/api/auth/forgotpassword", json={"email": ADA})
    await world.deliver()
    reset = {"password": CANARY, "passwordConfirm": CANARY}
    token = world.secret(LetterKind.RESET_PASSWORD)
    assert (await browser.patch(f"/api/auth/resetpassword/{token}", json=reset)).status_code == 200
    last = await world.sign_in(ADA, CANARY)
    await last.post("/api/auth/logout")
    return Counter(
        registered=1,
        signed_in=3,
        sign_in_refused=3,
        email_verified=1,
        password_changed=1,
        session_ended=2 + 1 + 1,
        password_reset_requested=1,
        password_reset=1,
    )


async def test_l1_a_day_has_as_many_events_as_things_happened(world: World) -> None:
    expected = await a_day(world)
    found = [event for _, event in await find_events(world.env, EventFilter(), 1000)]
    assert Counter(event.kind.value for event in found) == expected
    assert all(event.at.utcoffset() == timedelta(0) and event.account_id for event in found)
    assert {event.network_address for event in found if event.kind is EventKind.SIGNED_IN} == {"192.0.2.7"}


async def test_the_canary_is_found_nowhere(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """L3, P13: no password, token, code or link in the log, in the database or in Redis."""
    await a_day(world)
    mailed = [world.secret(kind) for kind in (LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD)]
    secrets = [CANARY, SECOND_CANARY, *mailed]
    written, said = capsys.readouterr()
    everything = written + said + str([await dump.tables(world), await dump.replicated(world)])
    assert "password_reset" in written
    assert [secret for secret in secrets if secret in everything] == []
    assert "eyJ" not in everything


async def test_l2_one_event_is_one_line_whatever_is_in_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    client = await world.client()
    for text in NAUGHTY:
        body = json.dumps({"email": f"{text}@example.com", "password": f"{text} horse"}).encode()
        headers = {b"User-Agent": text.encode("utf-8").replace(b"\r\n", b" ").replace(b"\0", b"")}
        await client.post("/api/auth/login", content=body, headers={b"Content-Type": b"application/json", **headers})
        async with world.env.store.transaction() as tx:
            await tx.events.record(Event(world.clock.now(), EventKind.LETTER_REFUSED, detail={"fault": text}))
    lines = capsys.readouterr().out.removesuffix("\n").split("\n")
    told = [json.loads(line) for line in lines]
    assert [line["fault"] for line in told if line["event"] == "letter_refused"] == NAUGHTY
    assert all(line.isascii() and line.isprintable() for line in lines)


async def test_they_are_found_by_what_they_are_about(world: World) -> None:
    await a_day(world)
    (account_id,) = {event.account_id for _, event in await find_events(world.env, EventFilter(), 1000)}
    by = [
        (EventFilter(account_id=account_id), 15),
        (EventFilter(account_id=new_id()), 0),
        (EventFilter(kinds=(EventKind.SIGNED_IN, EventKind.REGISTERED)), 4),
        (EventFilter(network_address="192.0.2.8"), 0),
        (EventFilter(since=world.clock.now() + timedelta(seconds=1)), 0),
    ]
    for wanted, number in by:
        assert len(await find_events(world.env, wanted, 1000)) == number, wanted
    newest = await find_events(world.env, EventFilter(), 2)
    assert [event.kind for _, event in newest] == [EventKind.SIGNED_IN, EventKind.SESSION_ENDED]
    assert await find_events(world.env, EventFilter(after=newest[0][0]), 2) == newest[1:]


async def test_whoever_asks_again_and_again_misses_none(world: World) -> None:
    """However many there are at once: each time the first ones after those before, not the newest."""
    await a_day(world)
    everything = await find_events(world.env, EventFilter(), 1000)
    asked, after = [], 0
    while found := await find_events(world.env, EventFilter(after=after), 3):
        asked += found
        after = found[-1][0]
    assert asked == everything


async def test_the_old_are_forgotten_and_no_other(backend: Backend) -> None:
    async with world_on(backend, replace(POLICY, events_kept=timedelta(days=7))) as world:
        now = world.clock.now()
        old = [Event(now - timedelta(days=8), EventKind.SIGN_IN_REFUSED)] * 1201
        async with world.env.store.transaction() as tx:
            await tx.events.record(*old, Event(now - timedelta(days=6), EventKind.IMPORTED))
        assert await purge_old_events(world.env) == 1201
        assert await purge_old_events(world.env) == 0
        assert [event.kind for _, event in await find_events(world.env, EventFilter(), 9)] == [EventKind.IMPORTED]


async def test_all_are_kept_where_the_operator_says_so(backend: Backend) -> None:
    async with world_on(backend, replace(POLICY, events_kept=timedelta(0))) as world:
        async with world.env.store.transaction() as tx:
            await tx.events.record(Event(world.clock.now() - timedelta(days=9999), EventKind.IMPORTED))
        assert await purge_old_events(world.env) == 0
