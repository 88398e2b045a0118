"""Write docs/performance.md from the figures of a run."""

from collections.abc import Callable, Iterator
from statistics import median
from textwrap import fill

from measure.machine import Machine
from measure.speed.contenders import POOL
from measure.speed.limits import HASHES_AT_ONCE
from measure.speed.results import Contender, Results
from measure.speed.tables import Table, tables
from measure.speed.targets import reasons
from vestibule.crypto.passwords import Argon2id

_INTRODUCTION = """\
# Performance

Written by `{command}` on {day}. Machine: {machine}.

{how}

![CPU of each operation beside its limit](performance.png)
"""
_SETTING = (
    "Everything runs on that one machine over loopback: the server as `vestibule serve` starts it (granian, one worker "
    "process, PostgreSQL), in an environment that has what requirements/serve.lock installs and nothing else; the "
    "database; and one asyncio process that loads it. Each virtual user sends a request, waits for the answer and "
    "sends the next. PostgreSQL runs without fsync, so rates of what writes are a disk's best case."
)
_CPU = (
    "CPU is the user and system time of the server's processes (the database's not) divided by the requests: it moves "
    "far less than the clock does. Each operation stands beside its limit, which was measured in the same run: the "
    "part of the work that no server can leave out."
)

_NOTES: dict[str, Callable[[Results], str]] = {
    "Targets": lambda _: "What was promised, and what this run found.",
    "Operations": lambda _: (
        '"At once" is the number of virtual users. The times include waiting behind the others. `register` includes '
        "the letter that follows it. The limit of what writes counts what it computes and reads, not its writes."
    ),
    "Limits": lambda r: (
        "A bare answer is an ASGI application on the same server that sends the same bytes, headers included. "
        f"{_hashing(r)} Access tokens are signed with {_key(r.algorithms[0])}, refresh tokens with "
        f"{_key(r.algorithms[1])}; the SELECT is the driver's alone."
    ),
    "Beside FastAPI-Users and Better Auth": lambda r: " ".join(_beside(r)),
    "One who looks while a crowd signs in": lambda _: (
        "One virtual user who asks for `me` without a pause, alone and beside a crowd that only signs in. Hashing "
        "runs on niced threads; what is left is that both share the machine with the database and the load itself. The "
        "last line is what would be left if sign-ins had a process of their own."
    ),
    "A new connection beside idle ones": lambda _: (
        "Each connection asks once when it is opened, one after the other, and is then kept open. New ones come beside "
        "them, open a connection, and ask for `me`: the time counts both."
    ),
    "Log-out reaching the other process": lambda _: (
        "Two servers on one database: from sending the log-out to one until the other first refuses the token, "
        "asked all the while. Without push the other looks once a second."
    ),
    "A start beside many revocations": lambda r: (
        f"A process starts beside another one while the record holds {r.revocations:,} revocations that still matter. "
        "A token that was signed out before is refused from its first answer on; more are signed out at the other "
        "process as soon as it answers. A timer of one millisecond finds how long the event loop was held at most, "
        "from before the record is read until six seconds after the process is ready; the target counts the median of "
        "the starts."
    ),
    "A check in a service, beside PyJWT": lambda r: (
        "An access token is checked in a service's process, without a framework: by `Verifier.check`, and by PyJWT as "
        "its documentation has it, with `PyJWKClient.get_signing_key_from_jwt` and `jwt.decode`, for algorithm, "
        "audience and issuer. `PyJWKClient` uses both of its caches (`cache_keys=True`). Both find the same version of "
        "OpenSSL. Each round is a new process, and they alternate; the median counts. Unknown is a token at its first "
        f"sight there, known is one that was checked before. The kit knows {r.revocations:,} revocations meanwhile, "
        "and what its background does is counted; PyJWT is told of no log-out."
    ),
    "A service that starts beside many revocations": lambda r: (
        f"A service starts while {r.revocations:,} revocations are in force, and is ready when it knows them all. "
        "Timers of one millisecond find how long its own event loop was held at most, and that of the kit, which runs "
        "on a thread of its own; the target counts the longer one, and the median of the starts. Memory is that of the "
        f"whole process, resident. {_memory_of_revocations(r)}"
    ),
    "One idle server": lambda _: (
        "Resident memory some seconds after the start; the parent only watches its worker. Both share memory, which "
        "counts once in the PSS of all processes. The start is that of a database that exists, from the command to "
        "the first answer; the target counts the fastest."
    ),
}


def _memory_of_revocations(results: Results) -> str:
    loaded = median(start.megabytes for start in results.service_starts)
    grown = loaded - results.service_megabytes
    per = grown / results.revocations * 100_000
    return (
        f"Where nothing is revoked it is {results.service_megabytes:.0f} MB, so 100,000 revocations take {per:.0f} MB."
    )


def _hashing(results: Results) -> str:
    chosen = results.chosen
    both = " and ".join(f"{took:g} ms with {name.replace('_', '-')}" for name, took in chosen.milliseconds.items())
    why = f": when the server started, a small hash took {both}" if both else ""
    return (
        f"Passwords are hashed with {chosen.library}{why}. Hashes run on {HASHES_AT_ONCE} threads of low priority, as "
        "in the server."
    )


def _key(algorithm: str) -> str:
    return "RS256 (RSA of 3072 bits)" if algorithm == "RS256" else algorithm


def _beside(results: Results) -> Iterator[str]:
    cost = Argon2id()
    yield (
        f"The same load, in rounds that alternate, each server with one process and {POOL} connections to one "
        f"PostgreSQL server. Vestibule hashes with argon2id ({results.chosen.library}; {cost.memory_kib:,} KiB, "
        f"{cost.iterations} iterations, {cost.lanes} lane). FastAPI-Users is set up as its documentation does with "
        "database tokens, on the same granian, and hashes with argon2id of the same cost (argon2-cffi, through "
        "pwdlib); its own default is dearer."
    )
    reason = results.left_out.get(Contender.BETTER_AUTH)
    if reason is not None:
        yield f"Better Auth was left out: {reason}."
    else:
        yield (
            "Better Auth is set up as its documentation does with email and password, on Node.js, and hashes with its "
            "default, scrypt (N = 16,384, r = 16, p = 1, about 34 MB), on Node's threads."
        )
    yield (
        "Both read the session from the database for each `me`, so they too sign out at once; Vestibule remembers it "
        "and is told of log-outs. Only Vestibule counts attempts, keeps a history of events, signs its tokens and "
        "sends letters through an outbox."
    )


_WIDTH = 116


def page(machine: Machine, command: str, results: Results) -> str:
    """Return the whole page."""
    how = "\n\n".join(fill(paragraph, _WIDTH) for paragraph in (_SETTING, _CPU))
    parts = [_INTRODUCTION.format(day=machine.day, command=command, machine=machine, how=how)]
    for table in tables(results):
        parts += [f"## {table.heading}\n", f"{fill(_NOTES[table.heading](results), _WIDTH)}\n", _markdown(table)]
        if table.heading == "Targets":
            parts += _shortfalls(results)
    return "\n".join(parts)


def _shortfalls(results: Results) -> list[str]:
    """Return why targets are missed, as a list in Markdown; no lines if none is missed."""
    found = reasons(results)
    lines = [fill(f"* {reason}", _WIDTH, subsequent_indent="  ") for reason in found]
    return ["Where it falls short:\n", "\n".join(lines) + "\n"] if found else []


def _markdown(table: Table) -> str:
    rule = tuple("---:" if table.numeric(column) else "---" for column in range(len(table.columns)))
    lines = [_line(table.columns), _line(rule), *map(_line, table.rows)]
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
