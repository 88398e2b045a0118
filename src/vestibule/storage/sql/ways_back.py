"""Decide in SQL which emails are reserved for the account that was moved away from them. Nothing else decides it.

The lookups use the primary key and the indexes by account, because anybody can cause them, for any email.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_

from vestibule.model.letters import LetterKind
from vestibule.model.one_time_tokens import Purpose, place_of_way_back
from vestibule.storage.sql.schema import letters, one_time_tokens

KEPT = one_time_tokens.alias("kept")
_UNDO = one_time_tokens.alias("undo")
_l = letters.c


def kept_at(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return a condition: the row of `KEPT` reserves its email at `now`, because an undo link is valid or still to be
    delivered.
    """
    good = (
        exists()
        .correlate_except(_UNDO)
        .where(
            _UNDO.c.account_id == KEPT.c.account_id,
            _UNDO.c.purpose == Purpose.UNDO_EMAIL_CHANGE.value,
            _UNDO.c.email == KEPT.c.email,
            _UNDO.c.digest != KEPT.c.digest,
            _UNDO.c.used_at.is_(None),
            _UNDO.c.expires_at > now,
        )
    )
    on_its_way = (
        exists()
        .correlate_except(letters)
        .where(
            _l.account_id == KEPT.c.account_id,
            _l.kind == LetterKind.EMAIL_CHANGED.value,
            _l.email == KEPT.c.email,
            _l.settled_at.is_(None),
        )
    )
    return and_(KEPT.c.used_at.is_(None), KEPT.c.expires_at > now, or_(good, on_its_way))


IN_PLACES = KEPT.c.digest.in_(bindparam("places", expanding=True))
"""A condition: the row of `KEPT` is the reservation of one of the emails whose `places` are given."""


def places(emails: Sequence[str]) -> list[str]:
    """Return the digests under which these emails are reserved."""
    return [place_of_way_back(email) for email in emails]
