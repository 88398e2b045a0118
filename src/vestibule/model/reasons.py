"""Reasons why a person cannot sign in, and the act of an operator that mends each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vestibule.model.accounts import Account
from vestibule.model.pauses import AttemptKind
from vestibule.model.people import LetterRecord

MOST_NETWORKS = 3
"""How many networks a sentence names from which passwords were tried."""


class Mend(StrEnum):
    """The act of an operator that mends a reason."""

    ENABLE = "enable"
    VERIFY = "verify"
    RETRY_LETTER = "retry_letter"
    UNLOCK = "unlock"
    RESET_FACTORS = "reset_factors"
    SEND_RESET = "send_reset"
    CHANGE_EMAIL = "change_email"
    INVITE = "invite"


@dataclass(frozen=True)
class Disabled:
    """An operator disabled the account."""

    reason: str | None
    since: datetime
    mend = Mend.ENABLE


@dataclass(frozen=True)
class LetterNotDelivered:
    """The mail server has refused the letter that the person waits for, or could not be reached."""

    letter: LetterRecord
    mend = Mend.RETRY_LETTER


@dataclass(frozen=True)
class NeverVerified:
    """Nobody signs in here without a verified email. `letter` is the last one that would have verified it, if any."""

    letter: LetterRecord | None
    mend = Mend.VERIFY


@dataclass(frozen=True)
class InvitationOpen:
    """The person was invited, and has not chosen a password yet. `letter` is the last invitation."""

    letter: LetterRecord
    mend = Mend.INVITE


@dataclass(frozen=True)
class PausedPasswords:
    """Too many wrong passwords, lately from these networks. None is checked before `until`, or, if that is None, before
    a password reset or an unlock.
    """

    until: datetime | None
    networks: Mapping[str, int]
    mend = Mend.UNLOCK


@dataclass(frozen=True)
class PausedSecondFactor:
    """Too many wrong codes, after the right password, lately from these networks. None is checked before `until`, or,
    if that is None, before an unlock: a password reset does not end this pause.
    """

    until: datetime | None
    networks: Mapping[str, int]
    mend = Mend.UNLOCK


@dataclass(frozen=True)
class PausedEmailCodes:
    """Too many wrong codes from emails, lately from these networks. None is checked before `until`; a password is."""

    until: datetime
    networks: Mapping[str, int]
    mend = Mend.UNLOCK


@dataclass(frozen=True)
class LettersPaused:
    """The person, or a stranger, asked too often for emails of this kind, `RESET_LETTER` or `CODE_LETTER`: the next one
    is sent after `until`. The right password signs in.
    """

    of: AttemptKind
    until: datetime
    mend = Mend.UNLOCK


@dataclass(frozen=True)
class FactorsGoSoon:
    """A reset of the second factors is under way, which an operator or the owner asked for."""

    due_at: datetime
    mend = None


@dataclass(frozen=True)
class ResetLettersUnread:
    """A link for a new password was mailed, but not used: it may be in the junk folder."""

    sent_at: datetime
    mend = Mend.SEND_RESET


@dataclass(frozen=True)
class SecondFactorLost:
    """A sign-in needs a second factor, and none was used lately."""

    last_used_at: datetime | None
    mend = Mend.RESET_FACTORS


@dataclass(frozen=True)
class SessionReused:
    """The last session ended because its refresh token was used twice: it may have been copied."""

    at: datetime
    mend = Mend.SEND_RESET


@dataclass(frozen=True)
class NoPasswordYet:
    """The account has neither a password nor a passkey."""

    mend = Mend.SEND_RESET


@dataclass(frozen=True)
class ProbablyTypo:
    """No account has the email, but an unverified one has almost the same: it was probably mistyped at sign-up."""

    other: Account
    mend = Mend.CHANGE_EMAIL


@dataclass(frozen=True)
class NothingInTheWay:
    """The right password signs in, with the second factor if `second_step`. `last_at`: the last sign-in, if known."""

    last_at: datetime | None
    second_step: bool = False
    mend = None


Reason = (
    Disabled
    | LetterNotDelivered
    | NeverVerified
    | InvitationOpen
    | PausedPasswords
    | PausedSecondFactor
    | PausedEmailCodes
    | LettersPaused
    | FactorsGoSoon
    | ResetLettersUnread
    | SecondFactorLost
    | SessionReused
    | NoPasswordYet
    | ProbablyTypo
    | NothingInTheWay
)
