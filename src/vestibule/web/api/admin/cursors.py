"""Read the cursor of a list, which the page before ended with."""

from vestibule.model.account_search import NotACursor, Position
from vestibule.model.operator_errors import CursorInvalid


def position_of(cursor: str) -> Position | None:
    """Return where the page begins that a cursor asks for; None without one. Raises `CursorInvalid`."""
    try:
        return Position.of_cursor(cursor) if cursor else None
    except NotACursor:
        raise CursorInvalid from None
