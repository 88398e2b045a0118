"""The record: docs/reliability.json holds what the last full run of each cell found, and the page is made from it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from measure.faults.cell import Cell, Finding, Outcome
from measure.faults.timeline import Figures
from vestibule.model.clock import SystemClock

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "docs" / "reliability.json"


@dataclass(frozen=True)
class Recorded:
    """An outcome, and the day it is of."""

    outcome: Outcome
    day: str


def read(cells: tuple[Cell, ...], path: Path = RECORD) -> list[Recorded]:
    """The last outcome of every cell, those never run included."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    return [_from_json(cell, kept.get(cell.id)) for cell in cells]


def write(outcomes: list[Outcome], path: Path = RECORD) -> None:
    """Put these in place of earlier ones of the same cells; one that could not run here leaves the earlier."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    for outcome in outcomes:
        if outcome.ran:
            kept[outcome.cell.id] = _to_json(outcome)
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def _to_json(outcome: Outcome) -> dict[str, object]:
    found = {name: value for name, value in vars(outcome).items() if name not in {"cell", "figures", "findings"}}
    figures = asdict(outcome.figures) if outcome.figures else None
    findings = [asdict(finding) for finding in outcome.findings]
    return {"day": SystemClock().now().date().isoformat(), "figures": figures, "findings": findings, **found}


def _from_json(cell: Cell, kept: dict[str, object] | None) -> Recorded:
    if kept is None:
        return Recorded(Outcome(cell, 0), "")
    given: dict[str, object] = dict(kept)
    day = str(given.pop("day"))
    figures, findings = given.pop("figures"), given.pop("findings")
    return Recorded(
        Outcome(
            cell,
            figures=Figures(**figures) if isinstance(figures, dict) else None,
            findings=[Finding(**finding) for finding in findings] if isinstance(findings, list) else [],
            **given,
        ),
        day,
    )
