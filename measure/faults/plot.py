"""Draw, for each cell, how long answers take during the fault, and the time to recovery after it."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from measure.faults.cell import Outcome
from measure.faults.record import Recorded

_SLOW, _RECOVERY, _BOUND, _SHORT, _LINE = "#9fb3c8", "#1f5fbf", "#7b8794", "#c0392b", "#d5dae0"
_LEAST = 0.05  # seconds; on a logarithmic scale there is no 0


def draw(recorded: list[Recorded], path: Path) -> None:
    """Write the picture."""
    outcomes = [item.outcome for item in recorded if item.outcome.ran and item.outcome.figures]
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9}):
        figure = Figure(figsize=(9, 0.3 * len(outcomes) + 1.6), dpi=150, layout="constrained")
        axes = figure.subplots()
        for height, outcome in enumerate(outcomes):
            _one(axes, height, outcome)
        _frame(axes, outcomes)
        handles, labels = axes.get_legend_handles_labels()
        once = dict(zip(labels, handles, strict=True))
        figure.legend(once.values(), once.keys(), loc="outside lower center", ncols=len(once), frameon=False)
        figure.savefig(path)


def _one(axes: Axes, height: int, outcome: Outcome) -> None:
    figures = outcome.figures
    if figures is None:
        return
    slow = max(figures.p99_during or _LEAST, _LEAST)
    axes.barh(height, slow, height=0.55, color=_SLOW, label="p99 of an answer, or of its failing, during the fault")
    if figures.recovered_after is not None:
        after = max(figures.recovered_after, _LEAST)
        axes.scatter(after, height, s=42, color=_RECOVERY, label="T99: 99 % succeed again, after the end", zorder=3)
    if outcome.cell.recovery is not None:
        axes.plot(
            [outcome.cell.recovery] * 2, [height - 0.4, height + 0.4], color=_BOUND, linewidth=2, label="its bound"
        )


def _frame(axes: Axes, outcomes: list[Outcome]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(_LEAST * 0.8, 120)
    axes.set_xticks([0.1, 1, 10, 60], ["0.1 s", "1 s", "10 s", "60 s"])
    axes.set_yticks(range(len(outcomes)), [f"{o.cell.what}  {o.cell.id}" for o in outcomes])
    for label, outcome in zip(axes.get_yticklabels(), outcomes, strict=True):
        label.set_color("black" if outcome.passed else _SHORT)
    axes.set_ylim(len(outcomes) - 0.4, -0.6)
    axes.set_title(
        "How long an answer takes while it lasts, and how soon all is well again", loc="left", fontweight="bold"
    )
    axes.set_xlabel("seconds, logarithmic; cells in red fall short of some expectation")
    axes.grid(axis="x", color=_LINE, linewidth=0.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
