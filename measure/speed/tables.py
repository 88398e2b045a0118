"""Write the figures as tables of text, for the terminal and for the page."""

from dataclasses import dataclass
from statistics import median

from measure.load import Measured, percentile
from measure.speed.plan import FLOOD, READERS, WRITERS
from measure.speed.results import PARTS, Checker, Contender, Limit, Operation, Results
from measure.speed.targets import judge

Rows = list[tuple[str, ...]]
_READS = {Operation.ME, Operation.VERIFY}


@dataclass(frozen=True)
class Table:
    """A heading, the names of the columns, and rows with a text for each column."""

    heading: str
    columns: tuple[str, ...]
    rows: Rows

    def numeric(self, column: int) -> bool:
        """Return whether a column, counted from 0, has numbers only, which are aligned to the right."""
        return all(not row[column] or row[column][:1].isdigit() for row in self.rows)


def tables(results: Results) -> list[Table]:
    """Return all tables, with the verdict on the targets first. A table without rows is left out."""
    makers = (
        _targets,
        _operations,
        _limits,
        _beside,
        _crowd,
        _idle,
        _delays,
        _loaded_starts,
        _checks,
        _service_starts,
        _footprints,
    )
    return [table for make in makers if (table := make(results)).rows]


def _targets(results: Results) -> Table:
    rows = [(t.promise, t.limit, t.found, "ok" if t.kept else "falls short") for t in judge(results)]
    return Table("Targets", ("target", "limit", "measured", "verdict"), rows)


def _operations(results: Results) -> Table:
    columns = (
        "operation",
        "at once",
        "per second",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "limit CPU µs",
        "times limit",
        "limit",
    )
    return Table("Operations", columns, [_operation(name, results.operations[name], results) for name in Operation])


def _limits(results: Results) -> Table:
    rows = [(n.value, _rate(results.limits[n]), _microseconds(results.limits[n].cpu)) for n in Limit]
    return Table("Limits", ("limit", "per second", "CPU µs each"), rows)


def _beside(results: Results) -> Table:
    columns = ("operation", "server", "per second", "p50 ms", "p99 ms", "CPU µs")
    rows = [
        (name.value, contender.value, *_figures(results.beside[contender][name]))
        for name in Operation
        for contender in Contender
        if name in results.beside.get(contender, {})
    ]
    rows += [
        ("the hash alone", contender.value, _rate(done), "", "", _microseconds(done.cpu))
        for contender, done in results.hashes.items()
    ]
    return Table("Beside FastAPI-Users and Better Auth", columns, rows)


def _crowd(results: Results) -> Table:
    found = (
        ("nothing", results.calm),
        (f"{FLOOD} sign in", results.flooded),
        (f"{FLOOD} sign in at another process", results.flooded_elsewhere),
    )
    rows = [(name, str(done.count), *(f"{done.percentile(p):.2f}" for p in (50, 99))) for name, done in found]
    return Table("One who looks while a crowd signs in", ("meanwhile", "answers", "p50 ms", "p99 ms"), rows)


def _idle(results: Results) -> Table:
    idle = results.idle
    columns = ("idle connections", "first answer, longest ms", "new ones", "p50 ms", "longest ms")
    rows = [] if idle is None else [(f"{idle.open:,}", _ms(idle.longest), str(len(idle.new)), *_middle(idle.new))]
    return Table("A new connection beside idle ones", columns, rows)


def _delays(results: Results) -> Table:
    rows = [
        (push.value, str(len(delays)), *(_ms(percentile(delays, p)) for p in (50, 99, 100)))
        for push, delays in results.delays.items()
    ]
    return Table("Log-out reaching the other process", ("push", "trials", "p50 ms", "p99 ms", "longest ms"), rows)


def _loaded_starts(results: Results) -> Table:
    columns = ("start", "first answer s", "loop held ms", "in CPU ms", "log-outs", "p50 ms", "longest ms")
    rows = [
        (str(n), f"{s.first_answer:.2f}", _ms(s.held), _ms(s.held_cpu), str(len(s.delays)), *_middle(s.delays))
        for n, s in enumerate(results.loaded_starts, 1)
    ]
    return Table("A start beside many revocations", columns, rows)


def _checks(results: Results) -> Table:
    columns = ("token", "checked by", "rounds", "CPU µs", "lowest", "highest")
    rows = [
        (sight, checker.value, str(len(found)), *(f"{f(found):.1f}" for f in (median, min, max)))
        for sight in ("unknown", "known")
        for checker in Checker
        if (found := getattr(results.checks.get(checker), sight, None))
    ]
    return Table("A check in a service, beside PyJWT", columns, rows)


def _service_starts(results: Results) -> Table:
    columns = ("start", "ready s", "loop held ms", "in CPU ms", "kit's loop held ms", "in CPU ms", "memory MB")
    rows = [
        (str(n), f"{s.ready:.2f}", *map(_ms, (s.held, s.held_cpu, s.kit_held, s.kit_held_cpu)), f"{s.megabytes:.0f}")
        for n, s in enumerate(results.service_starts, 1)
    ]
    return Table("A service that starts beside many revocations", columns, rows)


def _footprints(results: Results) -> Table:
    columns = ("database", "worker MB", "parent MB", "PSS of all MB", "fastest start s", "slowest start s")
    rows = [
        (name, *(f"{m:.0f}" for m in (f.worker, f.parent, f.together)), f"{min(f.starts):.2f}", f"{max(f.starts):.2f}")
        for name, f in results.footprints.items()
    ]
    return Table("One idle server", columns, rows)


def _operation(name: Operation, done: Measured, results: Results) -> tuple[str, ...]:
    return (
        name.value,
        str(READERS if name in _READS else WRITERS),
        _rate(done),
        f"{done.percentile(50):.1f}",
        f"{done.percentile(99):.1f}",
        _microseconds(done.cpu),
        _microseconds(results.limit_cpu(name)),
        f"{results.times_limit(name):.2f}",
        _parts(PARTS[name]),
    )


def _figures(done: Measured) -> tuple[str, ...]:
    return (_rate(done), *(f"{done.percentile(p):.1f}" for p in (50, 99)), _microseconds(done.cpu))


def _middle(seconds: list[float]) -> tuple[str, str]:
    """Return the median and the longest, in milliseconds."""
    return _ms(percentile(seconds, 50)), _ms(max(seconds))


def _parts(parts: tuple[Limit, ...]) -> str:
    twice = {part for part in parts if parts.count(part) > 1}
    return " + ".join(f"{part}, twice" if part in twice else part.value for part in dict.fromkeys(parts))


def _rate(done: Measured) -> str:
    return f"{done.rate:,.0f}"


def _microseconds(cpu: float) -> str:
    return f"{cpu:,.0f}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f}"
