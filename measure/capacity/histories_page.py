"""Write the part of docs/capacity.md about rows that strangers can add in any number."""

from collections.abc import Mapping
from statistics import median
from textwrap import fill
from typing import Protocol

from measure.machine import Machine
from measure.server import ROOT

TITLE = "## What strangers make more of\n"
_PAGE = ROOT / "docs" / "capacity.md"
_HOW = (
    "Written by `make histories` on {day}, on: {processor}, {cores} cores, {system}, Python {python}, beside other "
    "work. {rows:,} *revocations*, of which one in fifty still stands, as many as one can make by signing in and out "
    "all the time; {rows:,} *events* of one account; five accounts with {tenth:,} *sessions* each, of which 1,000 are "
    "live, the most that can be set. Started three times each, in turn with an empty database; medians."
)


class Measured(Protocol):
    """What was found on one kind of database (`histories.Found`)."""

    starts: dict[str, list[tuple[float, float]]]
    requests: dict[str, tuple[float, float]]


def write(machine: Machine, rows: int, found: Mapping[str, Measured]) -> None:
    """Replace this part of the page, and print it."""
    how = _HOW.format(rows=rows, tenth=rows // 10, **vars(machine))
    lines = [TITLE, fill(how, 116), "", "| database | filled with | start s | of empty | worker MB | of empty |"]
    lines.append("| --- | --- | ---: | ---: | ---: | ---: |")
    for kind, each in found.items():
        empty = _medians(each.starts["empty"])
        for name, starts in each.starts.items():
            seconds, megabytes = _medians(starts)
            lines.append(
                f"| {kind} | {name} | {seconds:.2f} | {seconds / empty[0]:.2f} | "
                f"{megabytes:.0f} | {megabytes / empty[1]:.2f} |"
            )
    lines += [
        "",
        "Requests of an account with that many sessions, and how long another client's health check waits meanwhile:",
        "",
    ]
    lines += ["| request | " + " | ".join(f"{kind} s | health s" for kind in found) + " |"]
    lines += ["| --- |" + " ---: |" * 2 * len(found)]
    for name in next(iter(found.values())).requests:
        figures = (f"{each.requests[name][0]:.2f} | {each.requests[name][1]:.2f}" for each in found.values())
        lines.append(f"| {name} | {' | '.join(figures)} |")
    text = "\n".join(lines) + "\n"
    print(text)
    _PAGE.write_text(_PAGE.read_text().partition(TITLE)[0].rstrip() + "\n\n" + text)


def kept() -> str:
    """Return this part of the page as it is now, for `make capacity`, which writes the rest anew; empty if there is
    none.
    """
    _, title, rest = _PAGE.read_text().partition(TITLE)
    return f"\n{title}{rest}" if title else ""


def _medians(starts: list[tuple[float, float]]) -> tuple[float, float]:
    return median(seconds for seconds, _ in starts), median(megabytes for _, megabytes in starts)
