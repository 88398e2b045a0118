"""The feed inside one process: what it begins with, what it goes on with, and when it ends."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from starlette.types import Message

from tests.harness.servers import WAIT_SECONDS
from tests.harness.world import World
from vestibule.client.events import EventParser
from vestibule.crypto.entropy import new_id
from vestibule.flows.feed_services import (
    MOST_NOTICES_IN_EVENT,
    FeedEvent,
    Heartbeat,
    Hello,
    answer_poll,
    end_feeds_of_revoked_keys,
    feed_service,
)
from vestibule.flows.follow_revocations import read_new_backlog, read_whole_backlog
from vestibule.flows.service_keys import create_service_key, identify_service, revoke_service_key
from vestibule.model.errors import Overloaded, ServiceKeyInvalid, TooManyFollowers
from vestibule.model.revocations import OVERLAP_SECONDS, Notice, Revocation, RevocationKind
from vestibule.state.feed import MOST_NOTICES_WAITING, Follower
from vestibule.state.revocation_set import RevocationSet
from vestibule.state.sequence_index import LOOKED_AT_ONCE
from vestibule.web.api.services import FeedResponse, PollResponse, as_event

MEMORY = 960


def of_session(world: World, session_id: str) -> Revocation:
    now = world.clock.now()
    return Revocation(now, RevocationKind.SESSION, session_id, now + timedelta(seconds=MEMORY))


async def revoke(world: World, *session_ids: str) -> None:
    """In the database, by another process."""
    async with world.env.store.transaction() as tx:
        await tx.revocations.append([of_session(world, session_id) for session_id in session_ids])


async def told(world: World, follower: Follower, cursor: str = "", rounds: int = 2) -> list[FeedEvent]:
    """What a service is told from the beginning, in `rounds` rounds."""
    telling = feed_service(world.env, follower, cursor)
    return [one for _ in range(rounds) for one in await anext(telling)]


def session(session_id: str, seconds: int = MEMORY) -> Notice:
    return Notice(RevocationKind.SESSION, session_id, seconds)


async def test_it_begins_with_all_that_stands_and_says_how_fresh_that_is(world: World) -> None:
    await revoke(world, "one")
    await read_whole_backlog(world.env)
    world.clock.advance(seconds=1.5)
    with world.env.feed.following("k") as follower:
        hello, notices, beat = await told(world, follower, rounds=3)
    now = world.clock.monotonic()
    assert hello == Hello(now, whole=True)
    assert notices == [session("one", MEMORY - 1)]
    assert beat == Heartbeat(now - 1.5, cursor="0")


async def test_what_is_learnt_is_told_at_once_and_before_the_heartbeat_that_covers_it(world: World) -> None:
    with world.env.feed.following("k") as follower:
        telling = feed_service(world.env, follower)
        assert len([await anext(telling), await anext(telling)]) == 2
        await revoke(world, "one")
        world.clock.advance(seconds=1)
        await read_whole_backlog(world.env)
        assert await anext(telling) == [[session("one")]]
        assert await anext(telling) == [Heartbeat(world.clock.monotonic(), cursor="0")]


async def test_k8_a_heartbeat_lists_the_keys_in_force_and_ages_with_what_is_known_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K8: a process that cannot look at its keys has services stop to rely on it."""
    monkeypatch.setattr(world.env.keys, "looked_at", world.clock.monotonic())
    with world.env.feed.following("k") as follower:
        telling = feed_service(world.env, follower)
        await anext(telling)
        (first,) = await anext(telling)
        assert isinstance(first, Heartbeat)
        assert first.keys == tuple(world.env.keys.access.checking)
        looked_at = world.clock.monotonic()
        assert f'"keys":["{first.keys[0]}"],"keys_at":{round(looked_at, 3)}' in as_event(first)
        for seconds, known in ((5, 5), (1, 0)):
            world.clock.advance(seconds=seconds)
            await read_whole_backlog(world.env)
            beat = (await anext(telling))[-1]
            assert isinstance(beat, Heartbeat)
            assert (beat.true_at, beat.keys_at) == (looked_at + known, looked_at)


async def test_a_log_out_here_reaches_the_follower(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    with world.env.feed.following("k") as follower:
        await browser.post("/api/auth/logout")
        (notice,) = follower.take()
    assert notice.kind is RevocationKind.SESSION


async def test_a_change_of_password_refuses_the_sessions_and_a_shut_account_everything(world: World) -> None:
    with world.env.feed.following("k") as follower:
        now = world.clock.now()
        marks = [
            Revocation(now, kind, "ada", now + timedelta(seconds=9), now, sequence=number)
            for number, kind in enumerate((RevocationKind.ACCOUNT, RevocationKind.ACCOUNT_CHANGED), start=1)
        ]
        world.env.apply_revocations(marks, world.clock.monotonic())
        assert follower.take() == [Notice(RevocationKind.ACCOUNT, "ada", 9, int(now.timestamp()))]


async def test_a_cursor_continues_with_an_overlap_so_that_a_late_commit_is_not_missed(world: World) -> None:
    await revoke(world, "old")
    await read_whole_backlog(world.env)
    world.clock.advance(seconds=OVERLAP_SECONDS + 1)
    await read_whole_backlog(world.env)
    assert world.env.revocations.floor == 1
    cursor = world.env.revocations.cursor
    await revoke(world, "newer")
    await read_whole_backlog(world.env)
    assert world.env.revocations.cursor == cursor, "the cursor stays behind until no late commit can come before it"
    with world.env.feed.following("k") as follower:
        hello, notices, _ = await told(world, follower, cursor, rounds=3)
    assert (hello.whole, notices) == (False, [session("newer")])


@pytest.mark.parametrize(
    "cursor", ["", "0", "0-", "1", "1-", "1-00000000", "99-{mark}", "-1-{mark}", "\u0661-{mark}", "{mark}"]
)
async def test_without_a_cursor_of_this_record_it_begins_anew(world: World, cursor: str) -> None:
    await revoke(world, "one")
    await read_whole_backlog(world.env)
    with world.env.feed.following("k") as follower:
        hello, notices, _ = await told(world, follower, cursor.format(mark="7692c3ad"), rounds=3)
    assert (hello.whole, notices) == (True, [session("one")])


async def test_k12_a_restored_record_that_has_grown_past_a_cursor_begins_anew(world: World) -> None:
    """K12: numbers that a service knows are given again, to sign-outs that it was never told."""
    await revoke(world, "lost")
    await read_whole_backlog(world.env)
    world.clock.advance(seconds=OVERLAP_SECONDS + 1)
    await read_whole_backlog(world.env)
    cursor = world.env.revocations.cursor
    restored = RevocationSet(5.0)
    restored.add(
        [replace(of_session(world, name), sequence=n) for n, name in enumerate(("new", "newer"), start=1)], 0.0
    )
    restored.renew(0.0)
    assert (world.env.revocations.number_of(cursor), restored.number_of(cursor)) == (1, 0)


async def test_a_cursor_outlives_its_revocation_in_the_process_that_gave_it(world: World) -> None:
    """Where nobody has signed out for long, a service that connects again is not told everything."""
    await revoke(world, "old")
    await read_whole_backlog(world.env)
    world.clock.advance(seconds=OVERLAP_SECONDS + 1)
    await read_whole_backlog(world.env)
    known = world.env.revocations
    cursor = known.cursor
    known.purge(world.clock.monotonic() + MEMORY + 60)
    assert (len(known), known.number_of(cursor), known.cursor) == (0, 1, cursor)


async def test_a_long_beginning_comes_in_batches(world: World) -> None:
    await revoke(world, *(f"s{number}" for number in range(LOOKED_AT_ONCE + 1)))
    await read_whole_backlog(world.env)
    batches = [one async for some in answer_poll(world.env) for one in some if isinstance(one, list)]
    assert len(batches) == 2
    assert sum(map(len, batches)) == LOOKED_AT_ONCE + 1


async def test_many_that_begin_at_once_hold_the_loop_for_one_batch_at_a_time(world: World) -> None:
    """Also what is learnt later: sending waits for nothing, so only a feed's own turns let others run."""
    many, services = 3 * MOST_NOTICES_IN_EVENT, 3
    await revoke(world, *(f"s{number}" for number in range(many)))
    await read_whole_backlog(world.env)
    iteration, batches = 0, list[int]()

    async def follow() -> None:
        with world.env.feed.following("k") as follower:
            follower.hand([session(f"late{number}") for number in range(many)])
            async for told in feed_service(world.env, follower):
                batches.extend(iteration for one in told if isinstance(one, list))
                if isinstance(told[-1], Heartbeat):
                    follower.end()

    following = asyncio.gather(*(follow() for _ in range(services)))
    while not following.done():
        iteration += 1
        await asyncio.sleep(0)
    await following
    assert len(batches) >= services * 2 * many // LOOKED_AT_ONCE
    assert len(set(batches[services:])) == len(batches) - services, "the first batch is told at once"


async def test_what_was_forgotten_is_not_told(world: World) -> None:
    await revoke(world, "one")
    await read_whole_backlog(world.env)
    world.clock.advance(seconds=MEMORY + 1)
    with world.env.feed.following("k") as follower:
        assert [type(one) for one in await told(world, follower)] == [Hello, Heartbeat]


async def test_a_process_that_cannot_read_the_record_beats_without_growing_fresher(world: World) -> None:
    with world.env.feed.following("k") as follower:
        telling = feed_service(world.env, follower)
        await anext(telling)
        (first,) = await anext(telling)
        world.clock.advance(seconds=3)
        (second,) = await anext(telling)
    assert first == second


async def test_a_follower_that_takes_nothing_is_let_go(world: World) -> None:
    with world.env.feed.following("k") as follower:
        follower.hand([session("s")] * (MOST_NOTICES_WAITING + 1))
        assert [type(one) for told in [t async for t in feed_service(world.env, follower)] for one in told] == [Hello]


async def test_only_so_many_may_follow_and_nobody_at_the_end(world: World) -> None:
    feed = world.env.feed
    with feed.following("1"), feed.following("2"), feed.following("3") as last:
        with pytest.raises(TooManyFollowers), feed.following("4"):
            pass
        feed.close()
        assert last.over
    assert len(feed) == 0
    with pytest.raises(Overloaded), feed.following("5"):
        pass


async def test_k32_a_poll_is_told_what_came_after_its_cursor_and_ends(world: World) -> None:
    """K32: what is revoked while it is told is in it, or the heartbeat does not say that it was."""
    await revoke(world, "one")
    await read_whole_backlog(world.env)
    telling = answer_poll(world.env)
    (hello,) = await anext(telling)
    read_at = world.clock.monotonic()
    world.clock.advance(seconds=1)
    await revoke(world, "two")
    await read_whole_backlog(world.env)
    rest = [one async for some in telling for one in some]
    assert rest == [[session("one"), session("two", MEMORY + 1)], Heartbeat(read_at, cursor="0")]
    assert hello == Hello(read_at, whole=True)
    world.clock.advance(seconds=OVERLAP_SECONDS + 1)
    await read_whole_backlog(world.env)
    await revoke(world, "three")
    await read_whole_backlog(world.env)
    hello, *rest = [one async for some in answer_poll(world.env, world.env.revocations.cursor) for one in some]
    assert isinstance(hello, Hello)
    assert (hello.whole, rest) == (False, [[session("three")], Heartbeat(world.clock.monotonic(), cursor="2-3fc4ccfe")])


@pytest.mark.parametrize("ending", ["poll", "stream"])
async def test_n4_who_leaves_at_the_beginning_is_told_no_more(world: World, ending: str) -> None:
    """N4: a beginning may be a million revocations long. No heartbeat says that all of them were sent."""
    await revoke(world, *(f"s{number}" for number in range(20 * LOOKED_AT_ONCE)))
    await read_whole_backlog(world.env)
    told, left = list[bytes](), asyncio.Event()

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message.get("body", b""))
        if sum(b"event: revoked" in body for body in told) == 2:
            left.set()

    answer = PollResponse(world.env, "", "") if ending == "poll" else FeedResponse(world.env, "k", "", "")
    async with asyncio.timeout(WAIT_SECONDS):
        await answer({"type": "http", "method": "GET"}, receive, send)
    assert sum(b"event: revoked" in body for body in told) < 2 + 4, "some may be on their way while it leaves"
    assert b"event: heartbeat" not in b"".join(told)
    assert len(world.env.feed) == 0


async def test_k32_a_poll_over_http_needs_the_key_and_takes_no_follower_s_place(world: World) -> None:
    key = await create_service_key(world.env, "billing")
    await revoke(world, "one")
    await read_whole_backlog(world.env)
    client = await world.client(origin=None)
    refused = await client.get("/api/revocations?poll=1")
    assert refused.status_code == 401
    with world.env.feed.following("1"), world.env.feed.following("2"), world.env.feed.following("3"):
        answer = await client.get("/api/revocations?poll=1", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert [event.name for event in EventParser().feed(answer.content)] == ["hello", "revoked", "heartbeat"]


@pytest.mark.parametrize(
    ("nonce", "echo"),
    [("", None), ("Az09_-", "Az09_-"), ("n" * 64, "n" * 64)],
)
async def test_k32_the_greeting_echoes_the_nonce(world: World, nonce: str, echo: str | None) -> None:
    answer = await ask_feed(world, {"nonce": nonce, "poll": "1"})
    assert next(iter(EventParser().feed(answer.content))).data.get("nonce") == echo


@pytest.mark.parametrize("nonce", ["n" * 65, "a b", "é", '"', "a\n"])
async def test_k32_a_nonce_of_another_form_is_refused(world: World, nonce: str) -> None:
    """K32: by a stream and by a poll."""
    for poll in ({}, {"poll": "1"}):
        answer = await ask_feed(world, {"nonce": nonce, **poll})
        assert (answer.status_code, answer.json()["code"]) == (400, "nonce_invalid")
        assert "1 to 64 letters" in answer.json()["message"]


async def ask_feed(world: World, params: dict[str, str]) -> httpx.Response:
    key = await create_service_key(world.env, new_id())
    client = await world.client(origin=None)
    return await client.get("/api/revocations", params=params, headers={"Authorization": f"Bearer {key}"})


async def test_a_removed_key_ends_what_it_follows_and_no_other(world: World) -> None:
    keys = [await identify_service(world.env, await create_service_key(world.env, name) or "") for name in ("a", "b")]
    with world.env.feed.following(keys[0].digest) as removed, world.env.feed.following(keys[1].digest) as kept:
        await revoke_service_key(world.env, "a")
        await end_feeds_of_revoked_keys(world.env)
        assert (removed.over, kept.over) == (True, False)


async def test_of_two_who_add_a_name_at_once_one_gets_a_key(racing_world: World) -> None:
    keys = await asyncio.gather(*(create_service_key(racing_world.env, "billing") for _ in range(16)))
    (winner,) = [key for key in keys if key]
    assert (await identify_service(racing_world.env, winner)).name == "billing"


async def test_a_key_that_is_unknown_or_has_no_shape_is_refused(world: World) -> None:
    key = await create_service_key(world.env, "billing") or ""
    assert (await identify_service(world.env, key)).name == "billing"
    for wrong in ("", key[4:], key[:-1] + ("0" if key[-1] != "0" else "1"), key.upper(), f"{key} "):
        with pytest.raises(ServiceKeyInvalid):
            await identify_service(world.env, wrong)


async def test_the_feed_answers_nobody_without_a_service_key(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    access = {"Authorization": f"Bearer {browser.cookies['access_token']}"}
    for headers in ({}, access):
        for method, path in (("GET", "/api/revocations"), ("POST", "/api/auth/introspect")):
            answer = await browser.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "service_key_invalid")
            assert answer.headers["www-authenticate"].startswith("Bearer ")


async def test_a_quick_read_reaches_followers_too(world: World) -> None:
    with world.env.feed.following("k") as follower:
        await revoke(world, "one")
        await read_new_backlog(world.env)
        assert follower.take() == [session("one")]


def test_events_look_as_the_protocol_says() -> None:
    both = [session("s", 7), replace(session("a", 8), kind=RevocationKind.ACCOUNT, not_before=5)]
    assert as_event(Hello(1.5, whole=False)) == ('event: hello\ndata: {"protocol":1,"now":1.5,"start":"tail"}\n\n')
    assert as_event(both) == 'event: revoked\ndata: {"sessions":{"s":7},"accounts":{"a":[5,8]}}\n\n'
    assert as_event(Heartbeat(2.0, "3-x")) == 'id: 3-x\nevent: heartbeat\ndata: {"true_at":2.0}\n\n'
