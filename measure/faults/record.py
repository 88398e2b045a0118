"""Keep in docs/reliability.json what the last full run of each cell found. The page is made from it."""

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
    """An outcome, and the day of the run, as `2026-01-31`; an empty text if the cell was never run."""

    outcome: Outcome
    day: str


def read(cells: tuple[Cell, ...], path: Path = RECORD) -> list[Recorded]:
    """Return the last outcome of every cell, including those that were never run."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    return [_from_json(cell, kept.get(cell.id)) for cell in cells]


def write(outcomes: list[Outcome], path: Path = RECORD) -> None:
    """Replace the recorded outcomes of these cells. A cell that could not run here keeps its earlier outcome."""
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
