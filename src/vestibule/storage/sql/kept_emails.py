"""Decide in SQL which emails are kept: old emails that their account can still restore, so that no other account can
have them. Only this module decides that.

The look-ups use the primary key and the indexes by account, because anybody can cause them, for any email.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_

from vestibule.model.letters import LetterKind
from vestibule.model.one_time_tokens import Purpose, kept_email_digest
from vestibule.storage.sql.schema import letters, one_time_tokens

KEPT = one_time_tokens.alias("kept")
_UNDO_LINK = one_time_tokens.alias("undo")
_l = letters.c


def is_kept(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition that the row of `KEPT` keeps its email at `now`: the link that undoes the change is valid,
    or still to be sent.
    """
    link_is_valid = (
        exists()
        .correlate_except(_UNDO_LINK)
        .where(
            _UNDO_LINK.c.account_id == KEPT.c.account_id,
            _UNDO_LINK.c.purpose == Purpose.UNDO_EMAIL_CHANGE.value,
            _UNDO_LINK.c.email == KEPT.c.email,
            _UNDO_LINK.c.digest != KEPT.c.digest,
            _UNDO_LINK.c.used_at.is_(None),
            _UNDO_LINK.c.expires_at > now,
        )
    )
    link_is_to_be_sent = (
        exists()
        .correlate_except(letters)
        .where(
            _l.account_id == KEPT.c.account_id,
            _l.kind == LetterKind.EMAIL_CHANGED.value,
            _l.email == KEPT.c.email,
            _l.settled_at.is_(None),
        )
    )
    return and_(KEPT.c.used_at.is_(None), KEPT.c.expires_at > now, or_(link_is_valid, link_is_to_be_sent))


OF_THESE_EMAILS = KEPT.c.digest.in_(bindparam("kept_digests", expanding=True))
"""The condition that the row of `KEPT` keeps one of the emails whose digests are given (`kept_digests`)."""


def kept_digests(emails: Sequence[str]) -> list[str]:
    """Return the digests of the rows by which these emails would be kept."""
    return [kept_email_digest(email) for email in emails]
