"""Why somebody cannot sign in, in one sentence for each reason."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from vestibule.model import reasons as why
from vestibule.model.pauses import AttemptKind
from vestibule.model.people import LetterFate
from vestibule.translations.marking import _
from vestibule.web.console.say import Said

PAUSED = {
    AttemptKind.PASSWORD: _("Passwords are not checked"),
    AttemptKind.CODE: _("Codes of the second step are not checked"),
    AttemptKind.RECOVERY_CODE: _("Recovery codes are not checked"),
    AttemptKind.EMAIL_CODE: _("Codes from emails are not checked"),
    AttemptKind.RESET_LETTER: _("Links for a new password are not sent"),
    AttemptKind.VERIFICATION_LETTER: _("Links to confirm the email address are not sent"),
    AttemptKind.CODE_LETTER: _("Sign-in codes are not sent"),
    AttemptKind.FACTORS_LOST_LETTER: _("Links to turn off two-factor authentication are not sent"),
}
"""What is paused."""


def sentence(reason: why.Reason) -> Said:
    """Return the sentence for a reason."""
    return SENTENCES[type(reason)](reason)


def _disabled(reason: why.Disabled) -> Said:
    if reason.reason is None:
        return _("The account has been disabled since %(when)s."), {"when": reason.since}
    return _("The account has been disabled since %(when)s: “%(reason)s”."), {
        "when": reason.since,
        "reason": reason.reason,
    }


def _not_delivered(reason: why.LetterNotDelivered) -> Said:
    words: dict[str, datetime | str] = {"words": reason.letter.fault or "?", "when": reason.letter.at}
    if reason.letter.fate is LetterFate.REFUSED:
        return _("The mail server refused our email on %(when)s: “%(words)s”."), words
    return _("Our email could not be delivered yet. It is tried again on %(when)s: “%(words)s”."), words


def _never_verified(reason: why.NeverVerified) -> Said:
    if reason.letter is None:
        return _("The email address was never confirmed, and no email with a link is on its way."), {}
    if reason.letter.fate is LetterFate.SENT:
        return _("The email address was never confirmed. The last link was sent on %(when)s."), {
            "when": reason.letter.at
        }
    return _("The email address was never confirmed. An email with a link is about to be sent."), {}


def _invitation(reason: why.InvitationOpen) -> Said:
    return _("The invitation of %(when)s was not accepted yet."), {"when": reason.letter.queued_at}


def _named(networks: Mapping[str, int]) -> str:
    return ", ".join(f"{network} ({count})" for network, count in list(networks.items())[: why.MOST_NETWORKS])


def _paused_passwords(reason: why.PausedPasswords) -> Said:
    networks = _named(reason.networks)
    when: dict[str, datetime | str] = {"when": reason.until} if reason.until else {}
    return _PAUSED_PASSWORDS[bool(when), bool(networks)], when | ({"networks": networks} if networks else {})


_PAUSED_PASSWORDS = {
    (False, False): _("Too many wrong passwords: on devices that are not known, none is checked any more."),
    (False, True): _(
        "Too many wrong passwords: on devices that are not known, none is checked any more. "
        "They came from %(networks)s."
    ),
    (True, False): _("Too many wrong passwords: on devices that are not known, none is checked before %(when)s."),
    (True, True): _(
        "Too many wrong passwords: on devices that are not known, none is checked before %(when)s. "
        "They came from %(networks)s."
    ),
}
"""By whether the pause ends by itself, and whether it is known where the passwords came from."""


def _paused_second_factor(reason: why.PausedSecondFactor) -> Said:
    networks = _named(reason.networks)
    when: dict[str, datetime | str] = {"when": reason.until} if reason.until else {}
    return _PAUSED_SECOND_FACTOR[bool(when), bool(networks)], when | ({"networks": networks} if networks else {})


_PAUSED_SECOND_FACTOR = {
    (False, False): _("The password was right, but too many codes were wrong: none is checked any more."),
    (False, True): _(
        "The password was right, but too many codes were wrong: none is checked any more. They came from %(networks)s."
    ),
    (True, False): _("The password was right, but too many codes were wrong: none is checked before %(when)s."),
    (True, True): _(
        "The password was right, but too many codes were wrong: none is checked before %(when)s. "
        "They came from %(networks)s."
    ),
}


def _paused_email_codes(reason: why.PausedEmailCodes) -> Said:
    networks = _named(reason.networks)
    if not networks:
        return _("Too many wrong codes from emails: none is checked before %(when)s. A password is."), {
            "when": reason.until
        }
    return _(
        "Too many wrong codes from emails: none is checked before %(when)s. A password is. They came from %(networks)s."
    ), {"when": reason.until, "networks": networks}


def _letters_paused(reason: why.LettersPaused) -> Said:
    when = {"when": reason.until}
    if reason.of is AttemptKind.RESET_LETTER:
        return _(
            "The right password signs in, but a link for a new password was asked for too often: the next one is sent "
            "after %(when)s."
        ), when
    return _(
        "The right password signs in, but a sign-in code was asked for too often: the next one is sent after %(when)s."
    ), when


def _factors_go(reason: why.FactorsGoSoon) -> Said:
    return _("Two-factor authentication was reported lost. From %(when)s on, the password is enough."), {
        "when": reason.due_at
    }


def _reset_unread(reason: why.ResetLettersUnread) -> Said:
    return _("A link for a new password was sent on %(when)s and never used. It may be in the spam folder."), {
        "when": reason.sent_at
    }


def _factor_lost(reason: why.SecondFactorLost) -> Said:
    if reason.last_used_at is None:
        return _("The account needs a second step, and none was ever completed."), {}
    return _("The account needs a second step. One was last completed on %(when)s."), {"when": reason.last_used_at}


def _reused(reason: why.SessionReused) -> Said:
    return _("The session was ended on %(when)s, because it was used from two places. Signing in again works."), {
        "when": reason.at
    }


def _no_password(_reason: why.NoPasswordYet) -> Said:
    return _("The account has no password yet."), {}


def _typo(reason: why.ProbablyTypo) -> Said:
    return _("The email address was probably typed wrong at sign-up: there is %(email)s, never confirmed."), {
        "email": reason.other.email
    }


def _nothing(reason: why.NothingInTheWay) -> Said:
    when: dict[str, datetime | str] = {"when": reason.last_at} if reason.last_at else {}
    return _NOTHING[reason.second_step, bool(when)], when


_NOTHING = {
    (False, False): _("Nothing is in the way: the right password signs in. Nobody has signed in yet."),
    (False, True): _("Nothing is in the way: the right password signs in. The last sign-in was on %(when)s."),
    (True, False): _(
        "Nothing is in the way: the right password and the second step sign in. Nobody has signed in yet."
    ),
    (True, True): _(
        "Nothing is in the way: the right password and the second step sign in. The last sign-in was on %(when)s."
    ),
}
"""By whether a second step is needed, and whether somebody has signed in, as far as events tell."""


SENTENCES: dict[type[Any], Callable[[Any], Said]] = {
    why.Disabled: _disabled,
    why.LetterNotDelivered: _not_delivered,
    why.NeverVerified: _never_verified,
    why.InvitationOpen: _invitation,
    why.PausedPasswords: _paused_passwords,
    why.PausedSecondFactor: _paused_second_factor,
    why.PausedEmailCodes: _paused_email_codes,
    why.LettersPaused: _letters_paused,
    why.FactorsGoSoon: _factors_go,
    why.ResetLettersUnread: _reset_unread,
    why.SecondFactorLost: _factor_lost,
    why.SessionReused: _reused,
    why.NoPasswordYet: _no_password,
    why.ProbablyTypo: _typo,
    why.NothingInTheWay: _nothing,
}
