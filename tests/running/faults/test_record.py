"""The record of the faults outlives a machine that lacks a tool."""

from dataclasses import replace
from pathlib import Path

from measure.faults.cell import Cell, Finding, Outcome, Run
from measure.faults.page import page
from measure.faults.record import Recorded, read, write
from measure.machine import Machine


async def _nothing(run: Run) -> None:
    """What a cell does is not asked here."""


CELL = Cell("F0", "a fault", "by its tool", "nothing is lost", _nothing)
WITHOUT_ITS_TOOL = replace(CELL, run=None, why_not="needs its tool")


def test_what_was_found_stays_where_the_cell_cannot_run(tmp_path: Path) -> None:
    record = tmp_path / "reliability.json"
    found = Outcome(CELL, 7, findings=[Finding("nothing is lost", "none", True)])
    write([found], record)
    write([Outcome(WITHOUT_ITS_TOOL, 0)], record)
    (kept,) = read((WITHOUT_ITS_TOOL,), record)
    assert kept.day
    assert (kept.outcome.times, kept.outcome.findings, kept.outcome.passed) == (7, found.findings, True)


def test_a_cell_that_never_ran_has_not_passed(tmp_path: Path) -> None:
    (kept,) = read((WITHOUT_ITS_TOOL,), tmp_path / "reliability.json")
    assert (kept.day, kept.outcome.ran, kept.outcome.passed) == ("", False, False)


def test_the_page_shows_what_did_not_hold() -> None:
    found = Outcome(CELL, 1, findings=[Finding("no failed request", "1 reset", False)])
    assert "* **Not held**: no failed request: 1 reset" in page([Recorded(found, "2026-11-27")], Machine.this())
