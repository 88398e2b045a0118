"""Why not in: the one reason why a person cannot sign in, and what an operator can do about it (`mend`).

Of several reasons the first of `_IN_ORDER` counts: if the account is disabled, mending anything else does not help.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vestibule.model.accounts import Account
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.pauses import AttemptKind
from vestibule.model.people import LetterFate, LetterRecord, Person

_LATELY = timedelta(days=1)
"""A person who signed in within this time still has their second factor, unless a code was refused since."""
MOST_NETWORKS = 3
"""How many networks a sentence names from which passwords were tried."""
_NOT_DELIVERED = (LetterFate.REFUSED, LetterFate.DELAYED)


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
    """Too many wrong codes, after the right password. None is checked before `until`, or, if that is None, before an
    unlock: a password reset does not end this pause.
    """

    until: datetime | None
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
    | FactorsGoSoon
    | ResetLettersUnread
    | SecondFactorLost
    | SessionReused
    | NoPasswordYet
    | ProbablyTypo
    | NothingInTheWay
)


def why_not_in(person: Person, now: datetime) -> Reason:
    """Return the first reason why the person cannot sign in, or that nothing is in the way."""
    for check in _IN_ORDER:
        if reason := check(person, now):
            return reason
    return NothingInTheWay(person.latest(EventKind.SIGNED_IN), person.factors.needed)


def _disabled(person: Person, _: datetime) -> Reason | None:
    account = person.account
    return Disabled(account.disabled_reason, account.disabled_at) if account.disabled_at else None


def _unverified(person: Person, _: datetime) -> Reason | None:
    if person.invitation:
        delayed = person.invitation.fate in _NOT_DELIVERED
        return LetterNotDelivered(person.invitation) if delayed else InvitationOpen(person.invitation)
    if person.account.verified or not person.must_verify:
        return None
    letter = _last(person, LetterKind.VERIFY_EMAIL)
    return LetterNotDelivered(letter) if letter and letter.fate in _NOT_DELIVERED else NeverVerified(letter)


def _paused(person: Person, _: datetime) -> Reason | None:
    pauses = {pause.of: pause for pause in person.factors.paused}
    if password := pauses.get(AttemptKind.PASSWORD):
        return PausedPasswords(password.until, person.networks)
    code = pauses.get(AttemptKind.CODE) or pauses.get(AttemptKind.RECOVERY_CODE)
    return PausedSecondFactor(code.until) if code else None


def _factors_go(person: Person, _: datetime) -> Reason | None:
    return FactorsGoSoon(person.factors.reset.due_at) if person.factors.reset else None


def _reset_asked_for(person: Person, _: datetime) -> Reason | None:
    """Return a reason if the person still waits for a letter that the mail server has not taken, or has not used the
    link in one that it took.
    """
    letter, since = _last(person, LetterKind.RESET_PASSWORD, LetterKind.SIGN_IN_CODE), _last_in(person)
    if letter is None or (since and letter.queued_at <= since):
        return None
    if letter.fate in _NOT_DELIVERED:
        return LetterNotDelivered(letter)
    unread = letter.fate is LetterFate.SENT and letter.kind is LetterKind.RESET_PASSWORD
    return ResetLettersUnread(letter.at) if unread else None


def _factor_lost(person: Person, now: datetime) -> Reason | None:
    if not person.factors.needed:
        return None
    used = [factor.last_used_at for factor in person.factors.factors if factor.last_used_at]
    last_in, refused = person.latest(EventKind.SIGNED_IN), person.latest(EventKind.SECOND_FACTOR_REFUSED)
    refused_since = refused is not None and (last_in is None or refused > last_in)
    lately = last_in is not None and now - last_in < _LATELY
    return None if lately and not refused_since else SecondFactorLost(max(used, default=None))


def _reused(person: Person, _: datetime) -> Reason | None:
    at, last_in = person.latest(EventKind.REFRESH_TOKEN_REUSED), _last_in(person)
    return SessionReused(at) if at and (last_in is None or at > last_in) else None


def _no_password(person: Person, _: datetime) -> Reason | None:
    has_nothing = person.account.password_hash is None and not person.factors.factors
    return NoPasswordYet() if has_nothing else None


_IN_ORDER: Sequence[Callable[[Person, datetime], Reason | None]] = (
    _disabled,
    _unverified,
    _paused,
    _factors_go,
    _reset_asked_for,
    _reused,
    _factor_lost,
    _no_password,
)


def _last(person: Person, *kinds: LetterKind) -> LetterRecord | None:
    return next((letter for letter in person.letters if letter.kind in kinds), None)


def _last_in(person: Person) -> datetime | None:
    """Return when the person last signed in or set another password."""
    return person.latest(EventKind.SIGNED_IN, EventKind.PASSWORD_RESET, EventKind.PASSWORD_CHANGED)
