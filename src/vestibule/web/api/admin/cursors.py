"""Read the cursor of a list, which came with the page before."""

from vestibule.model.account_search import NotACursor, Position
from vestibule.model.operator_errors import CursorInvalid
from vestibule.model.outbox import LetterPosition


def position_of(cursor: str) -> Position | None:
    """Return where the next page begins; None without a cursor. Raises `CursorInvalid`."""
    try:
        return Position.of_cursor(cursor) if cursor else None
    except NotACursor:
        raise CursorInvalid from None


def letter_position_of(cursor: str) -> LetterPosition | None:
    """Return where a page of letters begins, as `position_of` does for accounts. Raises `CursorInvalid`."""
    try:
        return LetterPosition.of_cursor(cursor) if cursor else None
    except NotACursor:
        raise CursorInvalid from None
