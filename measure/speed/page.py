"""docs/performance.md, written from the figures of a run."""

from textwrap import fill

from measure.machine import Machine
from measure.speed.tables import Table

_INTRODUCTION = """\
# Performance

Written by `make bench` on {day}. Command: `{command}`. Machine: {machine}.

Everything runs on that one machine over loopback: the server as `vestibule serve` starts it (granian, one worker
process, PostgreSQL), the database, and one asyncio process that loads it. Each visitor sends a request, waits for
the answer and sends the next. PostgreSQL runs without fsync, so rates of what writes are a disk's best case.

CPU is the user and system time of the server's processes (the database's not) divided by the requests: it moves
far less than the clock does. Each operation stands beside its limit, which was measured in the same run: the part
of the work that no server can leave out.

![CPU of each operation beside its limit](performance.png)
"""

_NOTES = {
    "Targets": "What was promised, and what this run found.",
    "Operations": (
        '"At once" is the number of visitors. The times include waiting behind the others. `register` includes the '
        "letter that follows it. The limit of what writes counts what it computes and reads, not its writes."
    ),
    "Limits": (
        "A bare answer is an ASGI application on the same server that sends the same bytes, headers included. Hashes "
        "run on two threads, as in the server; signatures are RSA with 3072 bits; the SELECT is the driver's alone."
    ),
    "One who looks while a crowd signs in": (
        "One visitor who asks for `me` without a pause, alone and beside a crowd that only signs in. Hashing "
        "runs on niced threads; what is left is that both share two cores with the database and the load itself. The "
        "last line is what would be left if sign-ins had a process of their own."
    ),
    "Log-out reaching the other process": (
        "Two servers on one database: from sending the log-out to one until the other first refuses the token, "
        "asked all the while. Without push the other looks once a second."
    ),
    "One idle server": (
        "Resident memory some seconds after the start; the parent only watches its worker. The start is that of a "
        "database that exists, from the command to the first answer; the target counts the fastest."
    ),
    "Beside fastapi-users": (
        "The library a Python team would otherwise pick, as its documentation sets it up with database tokens, on "
        "the same granian and PostgreSQL, under the same load. It hashes at Vestibule's cost here; its own default "
        "is dearer. It reads its tokens from the database each time, so it too signs out at once."
    ),
}


_WIDTH = 116


def page(machine: Machine, command: str, found: list[Table]) -> str:
    """The whole page."""
    parts = [_INTRODUCTION.format(day=machine.day, command=command, machine=machine)]
    for table in found:
        parts += [f"## {table.heading}\n", f"{fill(_NOTES[table.heading], _WIDTH)}\n", _markdown(table)]
    return "\n".join(parts)


def _markdown(table: Table) -> str:
    rule = tuple("---:" if table.numeric(column) else "---" for column in range(len(table.columns)))
    lines = [_line(table.columns), _line(rule), *map(_line, table.rows)]
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
