"""Print the second factors of an account, for people or for programs."""

from dataclasses import asdict
from datetime import datetime

from rich.markup import escape
from rich.table import Column

from vestibule.cli.console import notes, print_json, results
from vestibule.cli.tables import table
from vestibule.cli.unlock import pause_in_words, pauses_for_programs
from vestibule.model.factor_resets import AskedBy, FactorReset
from vestibule.model.factors import FactorKind
from vestibule.model.people import FactorList

_UNDER_WAY = {
    AskedBy.OPERATOR: "A reset by an operator is under way",
    AskedBy.OWNER: "A reset by the owner is under way",
}
_KINDS = {FactorKind.TOTP: "authenticator app", FactorKind.PASSKEY: "passkey"}


def print_factors(email: str, listed: FactorList) -> None:
    """Print a line for each factor, how many recovery codes are left, and a reset that is under way; or that there is
    no factor. `listed.unreadable` is how many more factors the account has, whose rows are malformed.
    """
    if not listed.factors and not listed.unreadable:
        notes.print(f"{email} has no second factor.", markup=False, highlight=False)
        _print_pauses(listed)
        return
    lines = table("factor", Column("name", overflow="fold"), "added (UTC)", "last used (UTC)")
    for factor in listed.factors:
        last_used = _minute(factor.last_used_at) if factor.last_used_at else "never"
        lines.add_row(_KINDS[factor.kind], escape(factor.name or ""), _minute(factor.added_at), last_used)
    results.print(lines)
    if listed.unreadable:
        results.print(f"[yellow]Needed, but cannot be read: {listed.unreadable}[/]", highlight=False)
    results.print(f"Recovery codes left: {listed.recovery_codes_left}", highlight=False)
    _print_pauses(listed)
    if listed.reset:
        results.print(f"[yellow]{_UNDER_WAY[listed.reset.asked_by]}, {_removed_at(listed.reset)}[/]", highlight=False)


def print_factors_as_json(listed: FactorList) -> None:
    """Print one JSON document. Times are ISO 8601, `last_used_at` is null for a factor that was never used."""
    factors = [
        {
            **asdict(factor),
            "added_at": factor.added_at.isoformat(),
            "last_used_at": factor.last_used_at and factor.last_used_at.isoformat(),
        }
        for factor in listed.factors
    ]
    reset = listed.reset and reset_for_programs(listed.reset)
    paused = pauses_for_programs(listed.paused)
    print_json({**asdict(listed), "factors": factors, "reset": reset, "paused": paused})


def _print_pauses(listed: FactorList) -> None:
    for pause in listed.paused:
        results.print(f"[yellow]Paused: {pause_in_words(pause)}[/]", highlight=False)


def print_reset(email: str, reset: FactorReset) -> None:
    """Print what happens now that a reset has begun."""
    notes.print(
        f"{email} is told by email, and can keep the factors until then: {_removed_at(reset)}.", highlight=False
    )


def reset_for_programs(reset: FactorReset) -> dict[str, str]:
    """Return a reset as a member of a JSON document."""
    return {
        "asked_at": reset.asked_at.isoformat(),
        "due_at": reset.due_at.isoformat(),
        "asked_by": reset.asked_by.value,
    }


def _removed_at(reset: FactorReset) -> str:
    """Return the end of a sentence: that the reset removes all factors, and when."""
    return f"all factors are removed after {_minute(reset.due_at)} UTC"


def _minute(moment: datetime) -> str:
    """Return a moment without `UTC`, which stands in a column's heading or behind it (`tables.minute` adds it)."""
    return f"{moment:%Y-%m-%d %H:%M}"
