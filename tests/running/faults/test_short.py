"""The short form of `make faults`: a few cells with few repetitions. Invariants must hold; times are not judged."""

from pathlib import Path

import pytest

from measure.faults.audit import INVARIANTS
from measure.faults.cell import run_cell
from measure.faults.cells import ALL
from tests.conftest import not_to_be_had
from tests.harness import servers

# A process killed, the database crashed, gone and silent, Redis rolled back, a letter cut off, a refresh not answered.
SHORT = ("F1", "F6", "F7", "F13a", "F18", "F24", "F29")
SAMPLE = 3
AROUND_SECONDS = 0.5
# Half of the people, who do half as much: of each deed there still is one or the other in each phase.
PEOPLE, SHARE = 12, 0.05
# Memory depends on what else the machine does at the time; `make faults` looks at it.
HARD = set(INVARIANTS) - {"I10"}


@pytest.mark.parametrize("name", SHORT)
async def test_whatever_breaks_what_was_acknowledged_holds(name: str, tmp_path: Path) -> None:
    (cell,) = [cell for cell in ALL if cell.id == name]
    try:
        outcome = await run_cell(cell, tmp_path, cell.short, cell.short_seconds, SAMPLE, AROUND_SECONDS, PEOPLE, SHARE)
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)
    broken = {invariant: count for invariant, count in outcome.violations.items() if invariant in HARD}
    assert not broken, outcome.notes
    assert outcome.acknowledged


def test_every_line_of_the_matrix_is_there_and_says_why_it_is_not_run() -> None:
    numbers = {cell.id.rstrip("abcd") for cell in ALL}
    assert numbers == {f"F{number}" for number in range(1, 38)}
    assert all(cell.run is not None or cell.why_not for cell in ALL)
