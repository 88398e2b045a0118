"""The figures as tables of words, for the terminal and for the page alike."""

from dataclasses import dataclass

from measure.load import Measured, percentile
from measure.speed.plan import FLOOD, READERS, WRITERS
from measure.speed.results import PARTS, Limit, Operation, Results, judge

Rows = list[tuple[str, ...]]
_READS = {Operation.ME, Operation.VERIFY}


@dataclass(frozen=True)
class Table:
    """A heading, the columns' names, and rows of as many words."""

    heading: str
    columns: tuple[str, ...]
    rows: Rows

    def numeric(self, column: int) -> bool:
        """Whether a column, counted from 0, is one of numbers, to be read from the right."""
        return all(row[column][:1].isdigit() for row in self.rows)


def tables(results: Results) -> list[Table]:
    """All of them, the verdict first."""
    return [
        Table("Targets", ("target", "measured", "verdict"), _targets(results)),
        Table(
            "Operations",
            (
                "operation",
                "at once",
                "per second",
                "p50 ms",
                "p99 ms",
                "CPU µs",
                "limit CPU µs",
                "times limit",
                "limit",
            ),
            [_operation(name, results.operations[name], results) for name in Operation],
        ),
        Table(
            "Limits",
            ("limit", "per second", "CPU µs each"),
            [(n.value, _rate(results.limits[n]), _microseconds(results.limits[n].cpu)) for n in Limit],
        ),
        Table(
            "One who looks while a crowd signs in",
            ("meanwhile", "answers", "p50 ms", "p99 ms"),
            [
                (name, str(found.count), *(f"{found.percentile(percent):.2f}" for percent in (50, 99)))
                for name, found in (
                    ("nothing", results.calm),
                    (f"{FLOOD} sign in", results.flooded),
                    (f"{FLOOD} sign in at another process", results.flooded_elsewhere),
                )
            ],
        ),
        Table(
            "Log-out reaching the other process",
            ("push", "trials", "p50 ms", "p99 ms", "longest ms"),
            [
                (push.value, str(len(delays)), *(f"{percentile(delays, p) * 1000:.1f}" for p in (50, 99, 100)))
                for push, delays in results.delays.items()
            ],
        ),
        Table(
            "One idle server",
            ("database", "worker MB", "parent MB", "fastest start s", "slowest start s"),
            [
                (name, f"{f.worker:.0f}", f"{f.parent:.0f}", f"{min(f.starts):.2f}", f"{max(f.starts):.2f}")
                for name, f in results.footprints.items()
            ],
        ),
        Table(
            "Beside fastapi-users",
            ("operation", "Vestibule per second", "its per second", "Vestibule CPU µs", "its CPU µs", "its p99 ms"),
            [_beside(n, results.peer[n], results.operations[n]) for n in Operation if n in results.peer],
        ),
    ]


def _targets(results: Results) -> Rows:
    return [(t.promise, t.found, "ok" if t.kept else "falls short") for t in judge(results)]


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


def _beside(name: Operation, peer: Measured, ours: Measured) -> tuple[str, ...]:
    rates = _rate(ours), _rate(peer)
    costs = _microseconds(ours.cpu), _microseconds(peer.cpu)
    return (name.value, *rates, *costs, f"{peer.percentile(99):.1f}")


def _parts(parts: tuple[Limit, ...]) -> str:
    twice = {part for part in parts if parts.count(part) > 1}
    return " + ".join(f"{part}, twice" if part in twice else part.value for part in dict.fromkeys(parts))


def _rate(done: Measured) -> str:
    return f"{done.rate:,.0f}"


def _microseconds(cpu: float) -> str:
    return f"{cpu:,.0f}"
