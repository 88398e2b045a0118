"""Draw what each operation costs beside its limit, and below it what it costs other servers, on a logarithmic scale."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from measure.speed.results import Contender, Operation, Results

_LIMIT, _OURS, _LINE = "#7b8794", "#1f5fbf", "#d5dae0"
_OTHERS = {Contender.FASTAPI_USERS: ("#c46a12", 0.24), Contender.BETTER_AUTH: ("#2a7d4f", 0.48)}
"""The colour of each server's dots, and how far below ours they stand: 1 is the distance of two operations."""
_BESIDE_POINTS = 8


def draw(results: Results, path: Path) -> None:
    """Write the picture."""
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10}):
        figure = Figure(figsize=(9, 0.78 * len(Operation) + 1.6), dpi=150, layout="constrained")
        axes = figure.subplots()
        for height, name in enumerate(Operation):
            _one(axes, height, name, results)
        _frame(axes)
        handles, labels = axes.get_legend_handles_labels()
        once = dict(zip(labels, handles, strict=True))
        figure.legend(once.values(), once.keys(), loc="outside lower center", ncols=len(once), frameon=False)
        figure.savefig(path)


def _one(axes: Axes, height: int, name: Operation, results: Results) -> None:
    limit, ours = results.limit_cpu(name), results.operations[name].cpu
    axes.plot([limit, ours], [height, height], color=_LINE, linewidth=3, zorder=1)
    _dot(axes, limit, height, _LIMIT, "limit: the unavoidable part", on_the_left=limit <= ours)
    _dot(axes, ours, height, _OURS, "Vestibule", on_the_left=ours < limit)
    for other, (color, below) in _OTHERS.items():
        if name in results.beside.get(other, {}):
            _dot(axes, results.beside[other][name].cpu, height + below, color, other.value)


def _dot(axes: Axes, cost: float, height: float, color: str, label: str, on_the_left: bool = False) -> None:
    axes.scatter(cost, height, s=60, color=color, label=label, zorder=2)
    axes.annotate(
        f"{cost:,.0f}",
        (cost, height),
        xytext=(-_BESIDE_POINTS if on_the_left else _BESIDE_POINTS, 0),
        textcoords="offset points",
        ha="right" if on_the_left else "left",
        va="center_baseline",
        color=color,
        fontsize=9,
    )


def _frame(axes: Axes) -> None:
    axes.set_xscale("log")
    left, right = axes.get_xlim()
    axes.set_xlim(left / 1.6, right * 1.8)
    axes.set_yticks(range(len(Operation)), [name.value for name in Operation])
    axes.set_ylim(len(Operation) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:,.0f}"))
    axes.set_xlabel("µs of CPU for each request (logarithmic; less is better)")
    axes.set_title("What a request costs", loc="left", fontweight="bold")
    axes.grid(axis="x", color=_LINE, linewidth=0.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
