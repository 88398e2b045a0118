"""Write docs/capacity.md from the figures of a run."""

from textwrap import fill

from measure.capacity.fill import REVOCATION_EVERY, SESSION_EVERY
from measure.capacity.measure import Row, Size
from measure.machine import Machine
from measure.speed.results import LoadedStart

_PAGE = """\
# Capacity

What a request costs as the database grows. Written by `make capacity` on {day}; `make capacity ACCOUNTS=1000000` goes
less far. Machine: {machine}.

{how}

{sentence}

![How long each operation takes as the database grows](capacity.png)

## The databases

{databases}

{columns}

## What each operation costs

{operations}
"""
_HOW = (
    "Everything runs on that one machine over loopback: one worker process, PostgreSQL with 2 GB of shared buffers and "
    "every commit on the disk, and four virtual users who each wait for an answer before they ask again. They share "
    "its cores with what they ask, so CPU is steadier than times. "
    f"One account in {SESSION_EVERY} has a live session, a known device and an event; for each {REVOCATION_EVERY} "
    "accounts there is a revocation that still matters. Everybody who asks is somebody else, picked from all over the "
    "database. Tokens are signed with keys from the settings, RSA of 2048 bits for both kinds. An operator's search "
    "and page are the flows alone, without HTTP, one after the other: whole emails, names and ids, and beginnings that "
    "very many have."
)
_COLUMNS = (
    "*Start*: from the command to the first answer, in an environment made of requirements/serve.lock alone; *worker*: "
    "resident memory after the measurements. Both hold every revocation that still matters in memory. *Loop held*: the "
    "longest that the event loop of a second process was held, by the clock and in CPU, from before it reads the "
    "record until six seconds after it is ready; a token that was signed out before is refused from its first answer "
    "on. *Read as a whole*: large tables for which no index served, and how often, while all of this was measured; in "
    "its first half minute a process has the record of revocations counted once a second."
)
_WIDTH = 116


def page(machine: Machine, found: list[Size]) -> str:
    """Return the whole page, without the part of `histories_page.py`."""
    return _PAGE.format(
        day=machine.day,
        machine=machine,
        how=fill(_HOW, _WIDTH),
        sentence=fill(_sentence(found), _WIDTH),
        databases=_databases(found),
        columns=fill(_COLUMNS, _WIDTH),
        operations=_operations(found),
    )


def _sentence(found: list[Size]) -> str:
    first, last = found[0], found[-1]
    grown = [f"{name} from {first.rows[name].p50:.1f} to {row.p50:.1f} ms" for name, row in last.rows.items() if name]
    return f"From {first.accounts:,} to {last.accounts:,} accounts, the median goes: {'; '.join(grown)}."


def _databases(found: list[Size]) -> str:
    head = (
        "accounts",
        "live sessions",
        "revocations",
        "GB",
        "start s",
        "loop held ms",
        "in CPU ms",
        "worker MB",
        "read as a whole",
    )
    rows = [
        (
            f"{size.accounts:,}",
            f"{size.sessions:,}",
            f"{size.revocations:,}",
            f"{size.gigabytes:.2f}",
            f"{size.start_seconds:.2f}",
            *_held(size.start),
            f"{size.worker_megabytes:.0f}",
            ", ".join(f"{name} {times}" for name, times in size.whole_reads.items()) or "none",
        )
        for size in found
    ]
    return _table(head, rows, numeric=8)


def _held(start: LoadedStart | None) -> tuple[str, str]:
    return ("", "") if start is None else (f"{start.held * 1e3:.0f}", f"{start.held_cpu * 1e3:.0f}")


def _operations(found: list[Size]) -> str:
    head = ("operation", "accounts", "p50 ms", "p99 ms", "server CPU µs", "database CPU µs")
    rows = [(name, f"{size.accounts:,}", *_figures(size.rows[name])) for name in found[0].rows for size in found]
    return _table(head, rows, numeric=0)


def _figures(row: Row) -> tuple[str, ...]:
    cpu = ["" if spent is None else f"{spent:,.0f}" for spent in (row.server_cpu, row.database_cpu)]
    return (f"{row.p50:.1f}", f"{row.p99:.1f}", *cpu)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], numeric: int) -> str:
    """Return a table in Markdown. Numbers are aligned to the right: the first `numeric` columns; for 0, all but the
    first.
    """
    right = [column < numeric if numeric else column > 0 for column in range(len(head))]
    rule = tuple("---:" if numbers else "---" for numbers in right)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
