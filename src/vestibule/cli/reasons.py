"""Why a person cannot sign in, in one sentence, and the command that mends it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from shlex import quote
from typing import Any

from vestibule.cli.tables import minute
from vestibule.model import reasons as why
from vestibule.model.letters import LetterKind
from vestibule.model.pauses import AttemptKind
from vestibule.model.people import LetterFate, LetterRecord

_LETTERS = {
    LetterKind.VERIFY_EMAIL: "the email that verifies the address",
    LetterKind.RESET_PASSWORD: "the email with the reset link",
    LetterKind.SIGN_IN_CODE: "the email with the code",
    LetterKind.INVITATION: "the invitation",
}


def sentence_of(reason: why.Reason) -> str:
    """Return the reason in a sentence, which begins in lower case: the person's email stands before it."""
    return _SENTENCES[type(reason)](reason)


def command_of(reason: why.Reason, email: str) -> str:
    """Return the command that mends the reason; empty if there is nothing to mend."""
    if isinstance(reason, why.LetterNotDelivered):
        return f"vestibule mail retry {quote(reason.letter.id[:8])}"
    if isinstance(reason, why.ProbablyTypo):
        return f"vestibule users set-email {quote(reason.other.email)} {quote(email)}"
    return f"vestibule users {_COMMANDS[reason.mend]} {quote(email)}" if reason.mend else ""


_COMMANDS = {
    why.Mend.ENABLE: "enable",
    why.Mend.VERIFY: "verify",
    why.Mend.UNLOCK: "unlock",
    why.Mend.RESET_FACTORS: "reset-factors",
    why.Mend.SEND_RESET: "send-reset",
    why.Mend.INVITE: "invite",
}


def _disabled(reason: why.Disabled) -> str:
    because = f": {reason.reason}" if reason.reason else ""
    return f"cannot sign in, because the account was disabled on {minute(reason.since)}{because}."


def _not_delivered(reason: why.LetterNotDelivered) -> str:
    letter = reason.letter
    did = "refused" if letter.fate is LetterFate.REFUSED else "has not taken"
    return f"waits for {_LETTERS[letter.kind]}, which the mail server {did}: {letter.fault or 'no reason given'}."


def _never_verified(reason: why.NeverVerified) -> str:
    return f"cannot sign in, because the email was never verified; {_letter_state(reason.letter)}."


def _invitation(reason: why.InvitationOpen) -> str:
    return f"was invited on {minute(reason.letter.queued_at)} and has not chosen a password yet."


def _letter_state(letter: LetterRecord | None) -> str:
    if letter is None:
        return "no link to verify it was mailed lately"
    if letter.fate is LetterFate.SENT:
        return f"the link was mailed on {minute(letter.at)} and not opened"
    return "the link is about to be mailed" if letter.fate is LetterFate.WAITING else "the link became void"


def _paused(reason: why.PausedPasswords) -> str:
    until = _until(reason.until, "until it is unlocked or the password is reset")
    return f"typed too many wrong passwords{_networks(reason.networks)}: none is checked {until}."


def _networks(networks: Mapping[str, int]) -> str:
    """Return a clause that names the networks, each with the number of its wrong passwords and codes; empty without
    any.
    """
    named = [f"{network} ({count})" for network, count in list(networks.items())[: why.MOST_NETWORKS]]
    if not named:
        return ""
    more = len(networks) - len(named)
    others = f" and {more} more" if more else ""
    return f", or somebody did, from {', '.join(named)}{others}"


def _until(until: datetime | None, otherwise: str) -> str:
    return f"until {minute(until)}" if until else otherwise


def _codes_paused(reason: why.PausedSecondFactor) -> str:
    until = _until(reason.until, "until it is unlocked")
    networks = _networks(reason.networks)
    return f"typed too many wrong codes after the right password{networks}: none is checked {until}."


def _email_codes_paused(reason: why.PausedEmailCodes) -> str:
    networks = _networks(reason.networks)
    return f"typed too many wrong codes from emails{networks}: none is checked until {minute(reason.until)}."


def _letters_paused(reason: why.LettersPaused) -> str:
    letter = "reset link" if reason.of is AttemptKind.RESET_LETTER else "sign-in code"
    return (
        f"can sign in with the right password, but asked too often for a {letter} by email, or somebody did: no other "
        f"is sent until {minute(reason.until)}."
    )


def _factors_go(reason: why.FactorsGoSoon) -> str:
    return f"signs in with the password alone after {minute(reason.due_at)}, when all second factors are removed."


def _reset_unread(reason: why.ResetLettersUnread) -> str:
    sent = minute(reason.sent_at)
    return f"was mailed a reset link on {sent} and has not used it: ask them to look in the junk folder."


def _factor_lost(reason: why.SecondFactorLost) -> str:
    last = f"last used on {minute(reason.last_used_at)}" if reason.last_used_at else "never used"
    return f"needs a second factor, {last}: if it is lost, it has to be reset."


def _reused(reason: why.SessionReused) -> str:
    return (
        f"was signed out on {minute(reason.at)}, because a refresh token was used twice: signing in again works, and a "
        "new password is wise if the session was stolen."
    )


def _no_password(_: why.NoPasswordYet) -> str:
    return "has no password yet, and no passkey."


def _typo(reason: why.ProbablyTypo) -> str:
    made = minute(reason.other.created_at)
    return (
        f"has no account; {reason.other.email} signed up on {made} and never verified it, so that is probably a typo."
    )


def _nothing(reason: why.NothingInTheWay) -> str:
    last = f"the last time was {minute(reason.last_at)}" if reason.last_at else "but has not, as far as events tell"
    second = " and the second factor" if reason.second_step else ""
    return f"can sign in with the right password{second}; {last}."


_SENTENCES: Mapping[type, Callable[[Any], str]] = {
    why.Disabled: _disabled,
    why.LetterNotDelivered: _not_delivered,
    why.NeverVerified: _never_verified,
    why.InvitationOpen: _invitation,
    why.PausedPasswords: _paused,
    why.PausedSecondFactor: _codes_paused,
    why.PausedEmailCodes: _email_codes_paused,
    why.LettersPaused: _letters_paused,
    why.FactorsGoSoon: _factors_go,
    why.ResetLettersUnread: _reset_unread,
    why.SecondFactorLost: _factor_lost,
    why.SessionReused: _reused,
    why.NoPasswordYet: _no_password,
    why.ProbablyTypo: _typo,
    why.NothingInTheWay: _nothing,
}
