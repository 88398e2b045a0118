"""What somebody is shown of an account, and takes away of it, however much strangers have made of it."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import String, cast, literal
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from tests.harness.world import World
from tests.stories.bounds import fill, fill_sessions, numbers
from vestibule.flows.find_people import find_account
from vestibule.flows.identify import identify
from vestibule.flows.my_data import ROWS_AT_ONCE, account_overview
from vestibule.flows.my_sessions import MOST_LISTED
from vestibule.model.events import Event
from vestibule.storage.sql.events import SqlEvents
from vestibule.storage.sql.schema import events
from vestibule.web.pages import my_data

MANY = 10_000
CREDENTIALS = {"email": "ada@example.com", "password": "correct horse"}


async def ada(world: World) -> str:
    """The id of a new account."""
    await world.register()
    account = await find_account(world.env, CREDENTIALS["email"])
    assert account is not None
    return account.id


async def fill_events(world: World, account_id: str, many: int) -> None:
    """`many` wrong passwords, all in the same instant, each from an address of its own."""
    n = numbers(many)
    address = literal("10.0.") + cast(n.c.i, String)
    row = {"at": world.clock.now() - timedelta(hours=1), "kind": "sign_in_refused", "account_id": account_id}
    await fill(world, events, many, row | {"network_address": address, "detail": "{}"}, n)


class Pages:
    """How long the pages were that were read, and how often others had their turn before each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lengths: list[int] = []
        self.turns: list[int] = []
        self._turns, page = 0, SqlEvents.page

        async def noted(of: SqlEvents, account_id: str, before: tuple[datetime, int], most: int) -> Any:
            self.turns.append(self._turns)
            self._turns = 0
            found: list[tuple[int, Event]] = await page(of, account_id, before, most)
            self.lengths.append(len(found))
            return found

        monkeypatch.setattr(SqlEvents, "page", noted)

    async def others(self) -> None:
        """Everybody else, who wants a turn at any time."""
        while True:
            self._turns += 1
            await asyncio.sleep(0)


async def test_n5_all_is_taken_away_in_pages_and_others_have_their_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await ada(world)
    await world.register("grace@example.com")
    browser = await world.sign_in()
    await fill_events(world, account, MANY)
    await fill_sessions(world, account, 3 * ROWS_AT_ONCE, ended_at=world.clock.now(), end_reason="signed_out")
    pages = Pages(monkeypatch)
    others = asyncio.create_task(pages.others())
    answer = await browser.get("/profile/data")
    others.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await others
    mine = answer.json()
    assert list(mine) == ["account", "factors", "live", "past", "events"]
    assert (len(mine["live"]), len({session["id"] for session in mine["past"]}), len(mine["past"])) == (1, 600, 600)
    refused = [event["network_address"] for event in mine["events"] if event["kind"] == "sign_in_refused"]
    assert refused == [f"10.0.{number}" for number in reversed(range(MANY))]
    assert len(mine["events"]) == MANY + 2, "the registration and the sign-in too"
    assert max(pages.lengths) <= ROWS_AT_ONCE
    assert len(pages.lengths) >= MANY // ROWS_AT_ONCE
    assert min(pages.turns) > 0


async def test_n5_what_was_signed_in_long_ago_takes_nothing_away(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    world.clock.advance(minutes=14)
    await browser.post("/api/auth/refresh")
    world.clock.advance(minutes=6)
    refused = await browser.get("/profile/data")
    assert (refused.status_code, refused.text) == (303, "")
    assert refused.headers["location"] == "/reauthenticate?return_to=%2Fprofile%2Fsecurity"
    await browser.post("/api/auth/login", json=CREDENTIALS)
    assert (await browser.get("/profile/data")).json()["account"]["email"] == "ada@example.com"


async def test_n5_what_was_read_is_sent_before_the_next_page_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N5: so that no more than a page of it lies in memory."""
    sent, sent_before, page = list[int](), list[int](), SqlEvents.page

    class Watched(StreamingResponse):
        async def stream_response(self, send: Send) -> None:
            async def noted(message: Message) -> None:
                sent.append(len(message.get("body", b"")))
                await send(message)

            await super().stream_response(noted)

    async def noted(of: SqlEvents, *which: Any) -> Any:
        sent_before.append(len(sent))
        return await page(of, *which)

    monkeypatch.setattr(my_data, "StreamingResponse", Watched)
    monkeypatch.setattr(SqlEvents, "page", noted)
    account = await ada(world)
    browser = await world.sign_in()
    await fill_events(world, account, 3 * ROWS_AT_ONCE)
    assert (await browser.get("/profile/data")).status_code == 200
    assert len(sent_before) >= 4
    assert sent_before[0] > 0
    assert sorted(set(sent_before[:4])) == sent_before[:4]


async def test_n6_of_what_is_past_twenty_are_shown(world: World) -> None:
    account = await ada(world)
    caller = await identify(world.env, (await world.sign_in()).cookies["access_token"])
    await fill_events(world, account, 200)
    await fill_sessions(world, account, 200, ended_at=world.clock.now(), end_reason="signed_out")
    overview = await account_overview(world.env, caller)
    assert (len(overview.past), len(overview.events), MOST_LISTED) == (20, 20, 100)


async def test_n6_a_hundred_devices_are_listed_and_the_others_counted(world: World) -> None:
    account = await ada(world)
    browser = await world.sign_in()
    await fill_sessions(world, account, MOST_LISTED - 1)
    data = (await browser.get("/api/users/me/sessions")).json()["data"]
    assert (len(data["sessions"]), "more" in data) == (MOST_LISTED, False)
    assert "more-devices" not in (await browser.get("/profile/security")).text


async def test_n6_what_is_listed_is_bounded_at_ten_times_as_many(world: World) -> None:
    account = await ada(world)
    browser = await world.sign_in()
    await fill_sessions(world, account, 10 * MOST_LISTED)
    data = (await browser.get("/api/users/me/sessions")).json()["data"]
    assert (len(data["sessions"]), data["more"]) == (MOST_LISTED, 9 * MOST_LISTED + 1)
    assert data["sessions"][0]["current"]
    page = (await browser.get("/profile/security")).text
    assert page.count("/profile/security/sessions/") == MOST_LISTED - 1
    assert f"{9 * MOST_LISTED + 1} more" in page
