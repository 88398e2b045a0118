"""Print the second factors of an account, for people or for programs."""

from dataclasses import asdict
from datetime import datetime

from rich.markup import escape
from rich.table import Column

from vestibule.cli.console import notes, print_json, results
from vestibule.cli.tables import table
from vestibule.cli.unlock import pause_in_words, pauses_for_programs
from vestibule.flows.account_factors import FactorList
from vestibule.model.factors import FactorKind

_KINDS = {FactorKind.TOTP: "authenticator app", FactorKind.PASSKEY: "passkey"}


def print_factors(email: str, listed: FactorList) -> None:
    """Print a line for each factor, and how many recovery codes are left; or that there is no factor."""
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
    print_json({**asdict(listed), "factors": factors, "paused": pauses_for_programs(listed.paused)})


def _print_pauses(listed: FactorList) -> None:
    for pause in listed.paused:
        results.print(f"[yellow]Paused: {pause_in_words(pause)}[/]", highlight=False)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
