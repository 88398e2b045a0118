"""Read the cursor of a list, which came with the page before."""

from vestibule.model.account_search import NotACursor, Position
from vestibule.model.operator_errors import CursorInvalid


def position_of(cursor: str) -> Position | None:
    """Return where the next page begins; None without a cursor. Raises `CursorInvalid`."""
    try:
        return Position.of_cursor(cursor) if cursor else None
    except NotACursor:
        raise CursorInvalid from None
