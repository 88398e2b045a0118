"""Write docs/reliability.md: what was broken, what held, what fell short, and what was not run."""

from collections import Counter
from textwrap import fill

from measure.faults.audit import INVARIANTS, NOT_MEASURED
from measure.faults.cell import Finding, Outcome
from measure.faults.load import MIX, PEOPLE, SHARE
from measure.faults.record import Recorded
from measure.machine import Machine

_INTRODUCTION = """\
# Reliability

What happens when something breaks, tried: real servers under load, each fault, and afterwards everything that was
acknowledged held against what is true. `make faults` runs all of it (an hour) and writes this page;
`make faults CELLS=F5,F7` runs some cells and renews their lines.

![How long until requests succeed again, for each fault](reliability.png)

## In short

{headline}

{machine}

## How it is done

Two `vestibule serve` on PostgreSQL and Redis (both real, with the disk synchronised at each commit), a mail server,
and a proxy in front of each of them that can refuse, fall silent, reset, delay and cut.
{load}

A cell fails if any invariant below is violated, or one of its own expectations is not met. A request that fails with
503 and `Retry-After`, or whose connection breaks, is no violation: the ledger holds only what was acknowledged.

{invariants}

## Where it falls short

{short}

## Not run

{not_run}

## Cell by cell

Failed requests are counted by status, or by how the connection ended. *Gap*: the longest time without any success
(blank: not measured).
*T99*: from the end of the fault until 99 of 100 requests succeed. *p99*: of the time to an answer, whatever it was,
during the fault and after it. Cells that put no load on the servers have no figures. *Runs* are repetitions here and,
where they differ, those that the matrix asks for.

{cells}

## What each cell expects

{expectations}
"""
_WIDTH = 116


def page(recorded: list[Recorded], machine: Machine) -> str:
    """Return the whole page."""
    outcomes = [item.outcome for item in recorded]
    days = sorted({item.day for item in recorded if item.day})
    return _INTRODUCTION.format(
        headline=_headline(outcomes),
        machine=_paragraph(
            f"Measured on {' and '.join(days)}, the latest on {machine}. Others worked on the machine at the "
            "same time, so times are those of a busy one; counts do not depend on it. Each line is of the "
            "cell's latest run: what was mended was run again, not all cells at once."
        ),
        load=_load(),
        invariants=_table(("", "must be 0", "found"), _invariants(outcomes)),
        short=_bullets(_short(outcomes)) or "Nothing.",
        not_run=_bullets(_not_run(outcomes)),
        cells=_table(
            ("cell", "fault", "runs", "held", "requests", "failed", "gap", "T99", "p99 during", "p99 after"),
            [_row(outcome) for outcome in outcomes if outcome.ran],
        ),
        expectations="\n\n".join(_expectations(outcome) for outcome in outcomes if outcome.ran),
    )


def _headline(outcomes: list[Outcome]) -> str:
    run = [outcome for outcome in outcomes if outcome.ran]
    loaded = [outcome for outcome in run if outcome.figures]
    violations = _sum(outcomes)
    told: Counter[str] = Counter()
    for outcome in run:
        told.update(outcome.acknowledged)
    requests = sum(outcome.figures.requests for outcome in loaded if outcome.figures)
    sessions = told["log-out"] + told["reset"] + told["change"]
    slowest = max(loaded, key=lambda o: (o.figures.recovered_after or 0) if o.figures else 0, default=None)
    worst = f"{slowest.figures.recovered_after or 0:.1f} s ({slowest.cell.id})" if slowest and slowest.figures else ""
    times = sum(outcome.times for outcome in run)
    cells = f"{sum(o.passed for o in run)} / {len(run)} / {len(outcomes)}"
    rows = [
        ("cells that held / run / in the matrix", cells, f"{times:,} repetitions"),
        ("acknowledged writes lost", str(violations["I1"]), f"{sum(told.values()):,} acknowledged"),
        ("revocations undone", str(violations["I2"] + violations["I3"]), f"{sessions:,} sessions ended"),
        ("double uses of a token", str(violations["I4"]), f"{told['reset'] + told['refresh']:,} tokens used"),
        ("answers for the wrong user", str(violations["I5"]), f"{requests:,} requests"),
        ("answers 500", str(violations["I6"]), f"{requests:,} requests"),
        ("letters lost", str(violations["I7"]), f"{told['registration'] + told['reset letter']:,} letters"),
        ("worst T99", worst, f"{len(loaded)} cells under load"),
    ]  # fmt: skip
    return _table(("", "", "of"), rows)


def _sum(outcomes: list[Outcome]) -> Counter[str]:
    total: Counter[str] = Counter()
    for outcome in outcomes:
        total.update(outcome.violations)
    return total


def _load() -> str:
    mix = ", ".join(f"{rate * SHARE:g} {name.replace('_', ' ')}" for name, rate in MIX.items())
    return _paragraph(
        f"{PEOPLE} people use them. The mix is that of the fault matrix, scaled to {SHARE:.0%} of its rates, which "
        f"is what two shared cores carry beside everything else (each second: {mix})."
    )


def _invariants(outcomes: list[Outcome]) -> list[tuple[str, ...]]:
    total = _sum(outcomes)
    return [
        (name, what, f"not measured: {NOT_MEASURED[name]}" if name in NOT_MEASURED else str(total[name]))
        for name, what in INVARIANTS.items()
    ]


def _short(outcomes: list[Outcome]) -> list[str]:
    lines = []
    for outcome in outcomes:
        if not outcome.ran:
            continue
        for name, count in outcome.violations.items():
            words = next((note for note in outcome.notes if note.startswith(f"{name}:")), "")
            lines.append(f"**{outcome.cell.id}** {outcome.cell.what}: {INVARIANTS[name]}: {count} ({words})")
        lines += [
            f"**{outcome.cell.id}** {outcome.cell.what}: expected {finding.expectation}; measured {finding.measured}"
            for finding in outcome.findings
            if not finding.held
        ]
        if outcome.times < outcome.cell.text:
            lines.append(
                f"**{outcome.cell.id}** {outcome.cell.what}: {outcome.times:,} {outcome.cell.unit} of the matrix's "
                f"{outcome.cell.text:,}"
            )
    return lines


def _not_run(outcomes: list[Outcome]) -> list[str]:
    return [
        f"**{outcome.cell.id}** {outcome.cell.what}: {outcome.cell.why_not or 'not run yet'}."
        for outcome in outcomes
        if not outcome.ran
    ]


def _row(outcome: Outcome) -> tuple[str, ...]:
    cell, figures = outcome.cell, outcome.figures
    runs = f"{outcome.times:,}" + (f" of {cell.text:,}" if cell.text > outcome.times else "")
    if outcome.times == 1 and cell.seconds:
        runs = f"{cell.seconds:g} s" + (f" of {cell.text_seconds:g}" if cell.text_seconds else "")
    head = (cell.id, cell.what, runs, "yes" if outcome.passed else "**no**")
    if figures is None:
        return (*head, "", "", "", "", "", "")
    failed = ", ".join(f"{count} {how}" for how, count in sorted(figures.failed.items())) or "none"
    recovered = "never" if figures.recovered_after is None else f"{figures.recovered_after:.1f} s"
    return (
        *head,
        f"{figures.requests:,}",
        failed,
        "" if figures.longest_gap is None else f"{figures.longest_gap:.1f} s",
        recovered,
        _ms(figures.p99_during),
        _ms(figures.p99_after),
    )


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:,.0f} ms"


def _expectations(outcome: Outcome) -> str:
    cell = outcome.cell
    lines = [f"**{cell.id} {cell.what}** ({cell.how}). {cell.expected[0].upper()}{cell.expected[1:]}."]
    lines += [f"* {'Held' if f.held else '**Not held**'}: {f.expectation}: {f.measured}" for f in _once(outcome)]
    return "\n".join([lines[0], *([""] if len(lines) > 1 else []), *lines[1:]])


def _once(outcome: Outcome) -> list[Finding]:
    """Return each expectation once, although each repetition checked it: the first time that it failed, or the last
    time.
    """
    found: dict[str, Finding] = {}
    for finding in outcome.findings:
        if finding.expectation not in found or found[finding.expectation].held:
            found[finding.expectation] = finding
    return list(found.values())


def _paragraph(text: str) -> str:
    return fill(text, _WIDTH)


def _bullets(lines: list[str]) -> str:
    return "\n".join(fill(line, _WIDTH, initial_indent="* ", subsequent_indent="  ") for line in lines)


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)
