"""F5 to F12: PostgreSQL restarted, crashed, gone, silent, failed over, full and locked."""

import asyncio
import os
import time
from contextlib import suppress

import asyncpg

from measure.faults.cell import Cell, Run
from measure.faults.known import STALENESS_SECONDS, Known
from measure.faults.small_disk import fill, small_disk
from measure.faults.stand import Needs
from measure.faults.timeline import p99
from measure.postgres import Postgres
from tests.harness.fault_proxy import Fault

_READS = ("read by cookie", "read by Bearer")
_MAY_MOUNT = os.geteuid() == 0
_MANY_CONNECTIONS = 100
_ANSWERED = {"200", "201", "400", "401", "403", "503"}


async def restarted(run: Run) -> None:
    await _restarts(run, "fast")


async def crashed(run: Run) -> None:
    await _restarts(run, "immediate")


async def _restarts(run: Run, mode: str) -> None:
    for _ in range(run.times):
        async with run.fault():
            await asyncio.to_thread(run.stand.postgres.restart, mode)
        await run.use(2.0)
    # Each server may have handed one letter to the mail server, and could not store that: it sends the letter again.
    run.copies_allowed = 2 * run.times
    _only_503(run)


async def down(run: Run) -> None:
    async with Known(run) as known, run.fault():
        await asyncio.to_thread(run.stand.postgres.stop)
        await run.use(run.seconds)
        begun = run.load.timeline.begun or 0
        later = run.load.timeline.between(begun + STALENESS_SECONDS + 2, float("inf"))
        slowest = p99([request for request in later if request.outcome == "503"])
        await asyncio.to_thread(run.stand.postgres.start)
    run.expect("503 within 100 ms (p99)", f"{(slowest or 0) * 1e3:.0f} ms", slowest is not None and slowest < 0.1)
    known.served_while_fresh()


async def silent(run: Run) -> None:
    async with Known(run) as known, run.fault():
        run.stand.database_link.set(Fault.BLACK_HOLE)
        await run.use(run.seconds)
        run.stand.database_link.set(Fault.NONE)
    answered = [r.seconds for r in run.load.timeline.during if r.outcome == "503"]
    slowest = max(answered, default=0.0)
    run.expect(
        "503 after at most 2 s, and a second's wait in line", f"{slowest:.1f} s", bool(answered) and slowest <= 3.5
    )
    _only_503(run)
    known.served_while_fresh()


async def failed_over(run: Run) -> None:
    """Make the primary read-only, promote a replica made with pg_basebackup, and lead the proxy to it."""
    old = run.stand.postgres
    replica = await asyncio.to_thread(old.replica)
    await run.use(2.0)
    async with run.fault():
        await run.stand.ask("ALTER SYSTEM SET default_transaction_read_only = on")
        await run.stand.ask("SELECT pg_reload_conf()")
        await run.use(run.seconds)
        lsn = (await run.stand.ask("SELECT pg_current_wal_lsn()::text"))[0][0]
        await _caught_up(replica, lsn)
        begun = time.monotonic()
        await asyncio.to_thread(replica.promote)
        await asyncio.to_thread(old.stop, "immediate")
        promotion = time.monotonic() - begun
        run.stand.database_link.aim(replica.port)
        run.stand.database_link.set(Fault.RESET)
        run.stand.database_link.set(Fault.NONE)
        run.stand.postgres = replica
    run.expect("a replica that has caught up is promoted within 5 s", f"{promotion:.1f} s", promotion <= 5)
    _only_503(run)


async def _caught_up(replica: Postgres, lsn: str) -> None:
    query = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"
    while not (await replica.ask(query, lsn))[0][0]:
        await asyncio.sleep(0.05)


async def no_connections_left(run: Run) -> None:
    """End Vestibule's connections, and take every connection that the server has left."""
    others: list[asyncpg.Connection] = []
    async with run.fault():
        await run.stand.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vestibule'"
        )
        with suppress(asyncpg.PostgresError, OSError):
            while len(others) < _MANY_CONNECTIONS:
                others.append(await run.stand.postgres.connect())
        await run.use(run.seconds)
        for other in others:
            other.terminate()
    taken = [r.seconds for r in run.load.timeline.during if r.outcome == "503"]
    run.expect(
        "503 after a second at most, and the rest of the work",
        f"{max(taken, default=0):.1f} s",
        max(taken, default=0) < 2,
    )
    _only_503(run)


async def locked(run: Run) -> None:
    holder = await run.stand.postgres.connect()
    async with run.fault():
        await holder.execute("BEGIN")
        await holder.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        await run.use(run.seconds)
        await holder.execute("ROLLBACK")
    await holder.close()
    slowest = max((r.seconds for r in run.load.timeline.during if r.outcome == "503"), default=0.0)
    run.expect("503 after the statement time-out, 2 s, and a wait in line", f"{slowest:.1f} s", slowest < 5)
    _only_503(run)


async def disk_full(run: Run) -> None:
    with small_disk(run.stand.postgres) as disk:
        for node in run.stand.nodes:
            node.kill()
        await run.stand.postgres.admin(f"CREATE TABLESPACE small LOCATION '{disk}'")
        await run.stand.postgres.admin("ALTER DATABASE vestibule SET TABLESPACE small")
        await asyncio.gather(*(node.start() for node in run.stand.nodes))
        await run.use(2.0)
        async with run.fault():
            fill(disk / "ballast")
            await run.use(run.seconds)
            (disk / "ballast").unlink()
        reads, writes = run.statuses(*_READS), run.statuses("login", "register", "refresh")
        run.expect("reads go on", dict(reads), reads["200"] > 0.9 * sum(reads.values()))
        run.expect("writes that need space are answered 503", dict(writes), writes["503"] > 0)
        _only_503(run)
        await run.use(3.0)
        await run.load.end()
        for node in run.stand.nodes:
            node.kill()
        await run.stand.postgres.admin("ALTER DATABASE vestibule SET TABLESPACE pg_default")
        await asyncio.gather(*(node.start() for node in run.stand.nodes))


def _only_503(run: Run) -> None:
    unanswered = {outcome: count for outcome, count in run.statuses().items() if outcome not in _ANSWERED}
    run.expect("every request is answered, 503 at worst", unanswered or "all", not unanswered)


CELLS = (
    Cell(
        "F5",
        "PostgreSQL restarted",
        "pg_ctl restart -m fast, under load",
        "503 with Retry-After or a short wait, never 500",
        restarted,
        text=1,
        full=3,
        short=1,
        recovery=3.0,
    ),
    Cell(
        "F6",
        "PostgreSQL crashes",
        "pg_ctl restart -m immediate, under load",
        "what was acknowledged survives",
        crashed,
        text=100,
        full=8,
        short=1,
        recovery=3.0,
    ),
    Cell(
        "F7",
        "PostgreSQL down",
        "pg_ctl stop, and start again",
        "503 at once, reads served while fresh, no restart needed",
        down,
        seconds=30,
        text_seconds=60,
        short_seconds=9,
        recovery=3.0,
    ),
    Cell(
        "F8",
        "PostgreSQL silent",
        "the link is a black hole, then whole",
        "503 after the time-outs; nothing stuck after",
        silent,
        seconds=30,
        text_seconds=60,
        short_seconds=8,
        recovery=3.0,
    ),
    Cell(
        "F9",
        "PostgreSQL fails over",
        "old primary read-only; a pg_basebackup replica is promoted",
        "503 while read-only",
        failed_over,
        seconds=5,
        short_seconds=2,
        recovery=5.0,
        needs=Needs(database_options={"wal_level": "replica"}),
    ),
    Cell(
        "F10",
        "no connection left",
        "somebody takes all of max_connections",
        "503 within a second or so, no deadlock",
        no_connections_left,
        seconds=15,
        short_seconds=4,
        recovery=2.0,
        needs=Needs(database_options={"max_connections": "40"}),
    ),
    Cell(
        "F11",
        "a table locked",
        "ACCESS EXCLUSIVE on sessions",
        "statement time-out, 503; the pool recovers",
        locked,
        seconds=15,
        text_seconds=30,
        short_seconds=5,
        recovery=3.0,
    ),
    Cell(
        "F12",
        "PostgreSQL's disk full",
        "its tables lie on a small file system, which somebody fills",
        "writes 503, reads go on, no manual step after",
        disk_full if _MAY_MOUNT else None,
        seconds=15,
        short_seconds=5,
        recovery=2.0,
        why_not="" if _MAY_MOUNT else "needs a small file system of its own, which only root may mount",
    ),
)
