"""Draw how long each operation takes by the number of accounts, on logarithmic scales."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from measure.capacity.measure import Size

_COLOURS = ("#1f5fbf", "#c46a12", "#2a7d4f", "#7b8794", "#8a3ffc", "#b3261e", "#0e8a8a")
_LINE = "#d5dae0"


def draw(found: list[Size], path: Path) -> None:
    """Write the picture: the median as a line, the 99th percentile as a dotted one."""
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10}):
        figure = Figure(figsize=(9, 5), dpi=150, layout="constrained")
        axes = figure.subplots()
        sizes = [size.accounts for size in found]
        for name, colour in zip(found[0].rows, _COLOURS, strict=True):
            axes.plot(sizes, [size.rows[name].p50 for size in found], color=colour, marker="o", label=name)
            axes.plot(sizes, [size.rows[name].p99 for size in found], color=colour, linestyle=":", linewidth=1)
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}" if value < 1 else f"{value:,.0f}"))
        axes.set_xlabel("accounts")
        axes.set_ylabel("ms until the answer; dotted: p99")
        axes.set_title("What growing costs", loc="left", fontweight="bold")
        axes.grid(color=_LINE, linewidth=0.5)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        figure.savefig(path)
