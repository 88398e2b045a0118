"""`vestibule users unlock`: end the pauses after too many wrong passwords or codes, or too many emails; and how a pause
is printed.
"""

import asyncio
from collections.abc import Sequence

import typer

from vestibule.cli.accounts import AsJson, Email, with_account
from vestibule.cli.console import notes, print_json
from vestibule.cli.tables import minute
from vestibule.flows.unlock_account import unlock_account
from vestibule.model.pauses import AttemptKind, Pause

_WORDS = {
    AttemptKind.PASSWORD: "passwords",
    AttemptKind.CODE: "codes",
    AttemptKind.RECOVERY_CODE: "recovery codes",
    AttemptKind.EMAIL_CODE: "codes from emails",
    AttemptKind.RESET_LETTER: "reset links",
    AttemptKind.VERIFICATION_LETTER: "verification links",
    AttemptKind.CODE_LETTER: "sign-in codes",
    AttemptKind.FACTORS_LOST_LETTER: "links for a lost second factor",
}


def unlock(
    context: typer.Context,
    email: Email,
    as_json: AsJson = False,
) -> None:
    """End the pauses of an account after too many wrong passwords or codes, or too many emails, and count from 0 again.

    A code of a second factor is asked for after the right password. If the owner did not type the wrong codes, somebody
    else knows the password: have the owner change it first, or the account is paused again.
    """
    account, pauses = asyncio.run(with_account(context.obj, email, unlock_account))
    if as_json:
        print_json(
            {"email": account.email, "unlocked": pauses is not None, "paused": pauses_for_programs(pauses or ())}
        )
    elif pauses is None:
        notes.print(
            f"{account.email} is as it was: no wrong password or code was counted, and no email is held back.",
            highlight=False,
        )
    else:
        ended = "; ".join(map(pause_in_words, pauses)) or "none"
        notes.print(f"{account.email} is unlocked; ended pauses: {ended}.", highlight=False)


def pause_in_words(pause: Pause) -> str:
    """Return a pause in words: what is not checked or not sent, since when and until when."""
    since = f" since {minute(pause.since)}" if pause.since else ""
    if pause.of.mailed and pause.until:
        return f"{_WORDS[pause.of]} by email{since}, until {minute(pause.until)} at the latest"
    until_reset = " or the password is reset" if pause.of is AttemptKind.PASSWORD else ""
    end = f"until {minute(pause.until)}" if pause.until else f"until it is unlocked{until_reset}"
    return f"{_WORDS[pause.of]} on devices that are not known{since}, {end}"


def pauses_for_programs(pauses: Sequence[Pause]) -> list[dict[str, str | None]]:
    """Return pauses as a member of a JSON document."""
    return [
        {
            "of": pause.of.value,
            "since": pause.since.isoformat() if pause.since else None,
            "until": pause.until.isoformat() if pause.until else None,
        }
        for pause in pauses
    ]
