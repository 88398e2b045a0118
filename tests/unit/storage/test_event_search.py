"""`model.event_search.EventSearch`, on both databases: what is found, in which order, and by which index."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.harness.world import World
from tests.unit.storage import NOW, stored_account
from vestibule.model.account_search import NotACursor
from vestibule.model.event_search import EventPosition, EventQuery
from vestibule.model.events import Event, EventKind
from vestibule.model.store import Store
from vestibule.storage.sql.event_search import FROM_NETWORK, IN_TIME, MOST_READ, OF_ACCOUNT, OF_KIND

HOME, AWAY = "192.0.2.7", "2001:db8::7"
NEVER = EventQuery(kind=EventKind.SERVICE_REVOKED)


async def fill(store: Store) -> str:
    """A dozen events, two at each moment: every other one of an account, from home; every third is a sign-in."""
    account = await stored_account(store)
    told = [
        Event(
            NOW + timedelta(minutes=number // 2),
            EventKind.SIGNED_IN if number % 3 == 0 else EventKind.SIGN_IN_REFUSED,
            account.id if number % 2 else None,
            None,
            HOME if number % 2 else AWAY,
            {"number": str(number)},
        )
        for number in range(12)
    ]
    async with store.transaction() as tx:
        await tx.events.record(*told)
    return account.id


async def numbers(store: Store, wanted: EventQuery, most: int) -> list[int]:
    """The numbers of all events that are found, page by page."""
    found, before, pages = list[int](), None, 0
    async with store.reading() as read:
        while True:
            batch = await read.event_search.page(wanted, before, most)
            assert len(batch.events) <= most
            found += [int(event.detail["number"]) for event in batch.events]
            pages += 1
            assert pages < 20, "it has no end"
            if (before := batch.end) is None:
                return found


@pytest.mark.parametrize("most", [1, 2, 5, 100])
async def test_o80_each_filter_finds_its_events_page_by_page(store: Store, most: int) -> None:
    """O80: the latest first, each once, also where several happened at one moment; alone and together."""
    account_id, later, earlier = await fill(store), NOW + timedelta(minutes=2), NOW + timedelta(minutes=3)
    everything = [*range(11, -1, -1)]
    signed_in = EventKind.SIGNED_IN
    for wanted, expected in (
        (EventQuery(), everything),
        (EventQuery(account_id=account_id), [n for n in everything if n % 2]),
        (EventQuery(network_address=AWAY), [n for n in everything if not n % 2]),
        (EventQuery(kind=signed_in), [n for n in everything if n % 3 == 0]),
        (EventQuery(since=later), [n for n in everything if n >= 4]),
        (EventQuery(until=earlier), [n for n in everything if n <= 7]),
        (EventQuery(since=later, until=earlier), [7, 6, 5, 4]),
        (EventQuery(account_id=account_id, kind=signed_in), [9, 3]),
        (EventQuery(account_id=account_id, network_address=AWAY), []),
        (EventQuery(network_address=HOME, kind=signed_in, until=earlier), [3]),
        (EventQuery(account_id="nobody"), []),
        (NEVER, []),
    ):
        assert await numbers(store, wanted, most) == expected, wanted


async def test_o80_a_filter_beside_the_indexed_one_reads_a_bounded_number(store: Store) -> None:
    """O80: of somebody with very many events, a page looks at a thousand, and says where to go on."""
    account_id = (await stored_account(store)).id
    many = [Event(NOW, EventKind.SIGN_IN_REFUSED, account_id) for _ in range(MOST_READ)]
    async with store.transaction() as tx:
        await tx.events.record(Event(NOW, EventKind.SIGNED_IN, account_id, detail={"number": "1"}), *many)
    wanted = EventQuery(account_id=account_id, kind=EventKind.SIGNED_IN)
    async with store.reading() as read:
        first = await read.event_search.page(wanted, None, 50)
        assert (list(first.events), first.end is None) == ([], False)
        rest = await read.event_search.page(wanted, first.end, 50)
        assert ([event.detail for event in rest.events], rest.end) == ([{"number": "1"}], None)


INTO = "INSERT INTO events (at, kind, account_id, network_address, detail)"
MANY = {
    "sqlite": f"""{INTO}
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        SELECT datetime('2026-01-01', i || ' seconds') || '.000000', 'signed_in', NULL, '192.0.2.' || (i % 99), '{{}}'
            FROM n""",
    "postgresql": f"""{INTO}
        SELECT timestamptz '2026-01-01 00:00Z' + i * interval '1 second', 'signed_in', NULL, '192.0.2.' || (i % 99),
            '{{}}' FROM generate_series(1, 20000) AS i""",
}
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}
GIVEN = {"since": NOW - timedelta(days=40_000), "moment": NOW + timedelta(days=40_000), "below": 2**63 - 1, "most": 50}
ASKED = [
    (IN_TIME, None, "events_to_purge"),
    (OF_ACCOUNT, "a", "events_of_account"),
    (FROM_NETWORK, "192.0.2.7", "events_from_network"),
    (FROM_NETWORK, "198.51.100.1", "events_from_network"),
    (OF_KIND, "signed_in", "events_of_kind"),
    (OF_KIND, "service_revoked", "events_of_kind"),
]


async def test_o80_each_filter_reads_by_an_index(world: World) -> None:
    """O80: whether it matches every row or none, and without sorting more than what happened at one moment."""
    dialect = world.engines.dialect
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text(MANY[dialect]))
        await connection.execute(text("ANALYZE events"))
        for prepared, value, index in ASKED:
            given = GIVEN if value is None else {**GIVEN, "value": value}
            whole = prepared.statement.params(given).compile(  # type: ignore[attr-defined]
                dialect=connection.dialect, compile_kwargs={"literal_binds": True}
            )
            written = f"{EXPLAIN[dialect]} {whole}".replace("%%", "%")
            plan = str((await connection.exec_driver_sql(written)).all())
            assert index in plan, (value, plan)
            unsorted = plan.replace("Incremental Sort", "").replace("Presorted", "")
            whole_sort = [each for each in ("Seq Scan", "Sort  (", "USE TEMP B-TREE FOR ORDER BY") if each in unsorted]
            assert whole_sort == [], (value, plan)


@pytest.mark.parametrize("position", [EventPosition(NOW, 7), EventPosition(NOW + timedelta(microseconds=1), 2**59)])
def test_o80_a_cursor_is_read_as_it_was_written(position: EventPosition) -> None:
    assert EventPosition.of_cursor(position.to_cursor()) == position


@pytest.mark.parametrize(
    "cursor", ["", "1", "1.", ".1", "1.1 ", "-1.1", "1.-1", "٣.٣", "9" * 18 + ".1", "1." + "9" * 19]
)
def test_o80_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(NotACursor):
        EventPosition.of_cursor(cursor)
