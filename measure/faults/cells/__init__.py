"""List every line of the fault matrix, in its order (`ALL`)."""

import re

from measure.faults.cell import Cell
from measure.faults.cells import (
    elsewhere,
    mail,
    overload,
    postgresql,
    processes,
    redis,
    sqlite,
    time_and_upgrade,
    tokens,
)

_MODULES = (processes, postgresql, sqlite, redis, mail, time_and_upgrade, tokens, overload, elsewhere)


def _order(cell: Cell) -> tuple[int, str]:
    number = re.sub(r"\D", "", cell.id)
    return int(number), cell.id


ALL: tuple[Cell, ...] = tuple(sorted((cell for module in _MODULES for cell in module.CELLS), key=_order))
