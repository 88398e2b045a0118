"""O81: an operator finds events on the console and by its API, by email and not by id, and takes them along."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest

from tests.harness.world import World
from tests.stories.operators.people import Browser, operator_in
from tests.stories.operators.test_search_page import MARKUP, add
from vestibule.flows import search_events
from vestibule.flows.administer import disable_account, sign_out_everywhere
from vestibule.flows.search_events import EVENTS_AT_ONCE
from vestibule.model.accounts import Account, Role
from vestibule.model.errors import SessionOver
from vestibule.model.event_search import EventQuery
from vestibule.model.events import Event, EventKind
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.web.console.event_words import HAPPENED

AT, API = "/admin/events", "/api/admin/events"
EXPORTS = (f"{AT}/export", f"{API}/export")
HOME, AWAY = "192.0.2.7", "2001:db8::7"


async def happened(world: World, kind: EventKind, account: Account | None = None, address: str | None = HOME) -> None:
    """Something happens; a minute passes."""
    async with world.env.store.transaction() as tx:
        await tx.events.record(Event(world.clock.now(), kind, account and account.id, None, address))
    world.clock.advance(minutes=1)


async def session_of(world: World, operator: Browser) -> str:
    async with world.env.store.reading() as read:
        (session,) = await read.sessions.of_account(operator.account.id, 2, world.clock.now())
    return session.id


async def listing(browser: Browser, **asked: str) -> str:
    """What the list on the page says."""
    page = await browser.client.get(AT, params=asked)
    assert page.status_code == 200, page.text
    rows = page.text.partition('<ul class="rows">')[2].partition("</ul>")[0].replace("<wbr>", "")
    return " ".join(unescape(MARKUP.sub(" ", rows)).split())


async def kinds(browser: Browser, **asked: str) -> list[str]:
    answer = await browser.client.get(API, params=asked)
    assert answer.status_code == 200, answer.text
    return [event["kind"] for event in answer.json()["data"]["events"]]


async def two_people(world: World) -> tuple[Account, Account]:
    """Ada signed in at home, and did not away; Grace did at home."""
    ada, grace = await add(world, "ada@example.com"), await add(world, "grace@example.com", "Grace")
    await happened(world, EventKind.SIGNED_IN, ada)
    await happened(world, EventKind.SIGN_IN_REFUSED, ada, AWAY)
    await happened(world, EventKind.NAME_CHANGED, grace)
    return ada, grace


async def test_o81_events_are_found_by_email_kind_network_and_time(world: World) -> None:
    ada, _ = await two_people(world)
    began = world.clock.now() - timedelta(minutes=3)
    auditor = await operator_in(world, Role.AUDITOR)
    ago = {minutes: (began + timedelta(minutes=minutes)).isoformat() for minutes in range(3)}
    for asked, expected in (
        ({"person": " ADA@example.com "}, ["sign_in_refused", "signed_in"]),
        ({"person": ada.id}, ["sign_in_refused", "signed_in"]),
        ({"person": "ada@example.com", "kind": "signed_in"}, ["signed_in"]),
        ({"person": "grace@example.com", "network": AWAY}, []),
        ({"kind": "name_changed"}, ["name_changed"]),
        ({"network": "2001:DB8:0::7"}, ["sign_in_refused"]),
        ({"since": ago[0], "until": ago[1]}, ["sign_in_refused", "signed_in"]),
        ({"since": ago[2], "network": HOME, "kind": "name_changed"}, ["name_changed"]),
        ({"since": ago[0][:16], "until": ago[2][:19], "network": AWAY}, ["sign_in_refused"]),
    ):
        assert await kinds(auditor, **asked) == expected, asked
        page = await listing(auditor, **asked)
        for kind in ("signed_in", "sign_in_refused", "name_changed"):
            assert (f"kind {kind}" in page) == (kind in expected), (asked, page)


async def test_o81_the_list_says_whose_by_whom_and_from_where(world: World) -> None:
    ada = await add(world, "ada@example.com")
    admin = await operator_in(world, Role.ADMIN)
    await disable_account(
        world.env, Operator(admin.account.id, await session_of(world, admin), HOME), ada, "left the <team>"
    )
    page = await listing(admin, person="ada@example.com")
    assert f"Account disabled · left the <team> ada@example.com · by {admin.account.email} · {HOME} · " in page
    (event,) = (await admin.client.get(API, params={"person": ada.id})).json()["data"]["events"]
    assert (event["email"], event["actor_email"]) == ("ada@example.com", admin.account.email)
    assert (event["detail"]["reason"], event["address"]) == ("left the <team>", HOME)


async def test_o81_an_event_of_a_deleted_account_names_nobody(world: World) -> None:
    auditor = await operator_in(world, Role.AUDITOR)
    await happened(world, EventKind.ACCOUNT_DELETED, address=None)
    assert "Account deleted" in await listing(auditor, kind="account_deleted")
    (event,) = (await auditor.client.get(API, params={"kind": "account_deleted"})).json()["data"]["events"]
    assert (event["email"], event["account_id"], event["address"]) == (None, None, None)


async def test_o81_older_leads_through_all_pages_and_newest_back(world: World) -> None:
    auditor, count = await operator_in(world, Role.AUDITOR), 2 * EVENTS_AT_ONCE + 1
    async with world.env.store.transaction() as tx:
        told = [
            Event(world.clock.now(), EventKind.IMPORTED, detail={"number": f"n{number:03}"}) for number in range(count)
        ]
        await tx.events.record(*told)
    found, at, page = list[str](), f"{AT}?kind=imported", ""
    for _ in range(3):
        page = (await auditor.client.get(at)).text
        found += re.findall(r"<bdi>(n\d{3})</bdi>", page)
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        at = unescape(onward[1]) if onward else ""
    assert found == [f"n{number:03}" for number in reversed(range(count))]
    assert at == ""
    assert f'href="{AT}?kind=imported">Newest' in page


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"person": "nobody@example.com"}, "Nobody has this email address or user ID."),
        ({"person": "\0"}, "Nobody has this email address or user ID."),
        ({"kind": "nothing"}, "There is no such kind of event."),
        ({"network": "192.0.2.0/24"}, "Enter one network address"),
        ({"since": "yesterday"}, "Enter a date and a time."),
        ({"until": "9999-12-31T23:59:59-23:59"}, "Enter a date and a time."),
        ({"until": "0001-01-01T00:00:00+23:59"}, "Enter a date and a time."),
    ],
)
async def test_o81_what_cannot_be_read_is_said_and_nothing_else_is_shown(
    world: World, asked: dict[str, str], says: str
) -> None:
    auditor = await operator_in(world, Role.AUDITOR)
    await happened(world, EventKind.SIGNED_IN)
    page = await auditor.client.get(AT, params=asked)
    assert (page.status_code, says in page.text, '<ul class="rows">' in page.text) == (400, True, False)
    (name,) = asked
    expected = (404, "person_unknown") if name == "person" else (400, "filter_invalid")
    for at in (API, *EXPORTS[1:]):
        answer = await auditor.client.get(at, params=asked)
        assert (answer.status_code, answer.json()["code"]) == expected
    assert (await auditor.client.get(EXPORTS[0], params=asked)).status_code == expected[0]


@pytest.mark.parametrize("at", [AT, API, *EXPORTS])
async def test_o81_a_cursor_that_is_none_is_refused(world: World, at: str) -> None:
    auditor = await operator_in(world, Role.AUDITOR)
    assert (await auditor.client.get(f"{at}?after=W10=")).status_code == 400


def test_o81_every_kind_has_its_sentence() -> None:
    assert HAPPENED.keys() == set(EventKind)


@pytest.mark.parametrize("at", EXPORTS)
async def test_o82_the_export_is_safe_to_open_anywhere(world: World, at: str) -> None:
    """O82: a file of ASCII lines, each an object, without markup and without control characters."""
    auditor = await operator_in(world, Role.AUDITOR)
    nasty = '=HYPERLINK("https://evil.example")<script>alert(1)</script>&\u202e\x1b[2J\u2028\x7f'
    ada = await add(world, "ada@example.com")
    await disable_account(world.env, COMMAND_LINE, ada, nasty)
    answer = await auditor.client.get(at, params={"person": ada.email})
    assert answer.headers["content-type"].startswith("application/jsonl")
    assert answer.headers["content-disposition"] == 'attachment; filename="events.jsonl"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content.isascii()
    assert [sign for sign in "<>&\x1b\r\0" if sign in answer.text] == []
    lines = answer.text.splitlines()
    assert all(line.startswith("{") for line in lines)
    last = json.loads(lines[0])
    assert (last["kind"], last["email"], last["detail"]["reason"]) == ("account_disabled", ada.email, nasty)


@pytest.mark.parametrize("at", EXPORTS)
async def test_o82_the_export_is_bounded_and_says_where_to_go_on(
    world: World, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_events, "MOST_EXPORTED", 250)  # more than is read at once
    auditor = await operator_in(world, Role.AUDITOR)
    async with world.env.store.transaction() as tx:
        now = world.clock.now()
        await tx.events.record(*(Event(now, EventKind.IMPORTED, detail={"n": str(n)}) for n in range(260)))
    first = (await auditor.client.get(at, params={"kind": "imported"})).text.splitlines()
    assert len(first) == 251
    onward = json.loads(first[-1])["next"]
    rest = (await auditor.client.get(at, params={"kind": "imported", "after": onward})).text.splitlines()
    found = [json.loads(line)["detail"]["n"] for line in (*first[:-1], *rest)]
    assert found == [str(n) for n in reversed(range(260))]


async def test_o82_an_export_ends_with_the_session_of_its_operator(world: World) -> None:
    """O82: each part is read only while the operator may."""
    auditor = await operator_in(world, Role.AUDITOR)
    async with world.env.store.transaction() as tx:
        await tx.events.record(*(Event(world.clock.now(), EventKind.IMPORTED) for _ in range(500)))
    operator = Operator(auditor.account.id, await session_of(world, auditor), HOME)
    pages = search_events.export_events(world.env, operator, EventQuery())
    assert len((await anext(pages)).events) == 200
    await sign_out_everywhere(world.env, COMMAND_LINE, auditor.account)
    with pytest.raises(SessionOver):
        await anext(pages)


async def test_the_page_of_a_person_leads_to_all_their_events(world: World) -> None:
    ada, _ = await two_people(world)
    helper = await operator_in(world, Role.HELPER)
    assert f'href="{AT}?person={ada.id}"' in (await helper.client.get(f"/admin/people/{ada.id}")).text
