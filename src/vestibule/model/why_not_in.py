"""Why not in: the one reason why a person cannot sign in, and what an operator can do about it (`mend`, or None).

Of several reasons the first of `_IN_ORDER` counts: if the account is disabled, mending anything else does not help.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.pauses import AttemptKind
from vestibule.model.people import LetterFate, LetterRecord, Person
from vestibule.model.reasons import (
    Disabled,
    FactorsGoSoon,
    InvitationOpen,
    LetterNotDelivered,
    LettersPaused,
    NeverVerified,
    NoPasswordYet,
    NothingInTheWay,
    PausedEmailCodes,
    PausedPasswords,
    PausedSecondFactor,
    Reason,
    ResetLettersUnread,
    SecondFactorLost,
    SessionReused,
)

_LATELY = timedelta(days=1)
"""A person who signed in within this time still has their second factor, unless a code was refused since."""
_NOT_DELIVERED = (LetterFate.REFUSED, LetterFate.DELAYED)


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
        return PausedPasswords(password.until, person.networks_of(EventKind.SIGN_IN_REFUSED))
    code = pauses.get(AttemptKind.CODE) or pauses.get(AttemptKind.RECOVERY_CODE)
    return PausedSecondFactor(code.until, person.networks_of(EventKind.SECOND_FACTOR_REFUSED)) if code else None


def _emails_paused(person: Person, _: datetime) -> Reason | None:
    """Return a reason if codes from emails are not checked, or no further link or code is sent."""
    pauses = {pause.of: pause for pause in person.factors.paused}
    code = pauses.get(AttemptKind.EMAIL_CODE)
    if code and code.until:
        return PausedEmailCodes(code.until, person.networks_of(EventKind.EMAIL_CODE_REFUSED))
    for of in (AttemptKind.RESET_LETTER, AttemptKind.CODE_LETTER):
        pause = pauses.get(of)
        if pause and pause.until:
            return LettersPaused(of, pause.until)
    return None


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
    _emails_paused,
    _reused,
    _factor_lost,
    _no_password,
)


def _last(person: Person, *kinds: LetterKind) -> LetterRecord | None:
    return next((letter for letter in person.letters if letter.kind in kinds), None)


def _last_in(person: Person) -> datetime | None:
    """Return when the person last signed in or set another password."""
    return person.latest(EventKind.SIGNED_IN, EventKind.PASSWORD_RESET, EventKind.PASSWORD_CHANGED)
