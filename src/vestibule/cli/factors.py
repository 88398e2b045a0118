"""Print the second factors of an account, for people or for programs."""

from dataclasses import asdict
from datetime import datetime

from rich.markup import escape
from rich.table import Column

from vestibule.cli.console import notes, print_json, results
from vestibule.cli.tables import table
from vestibule.flows.account_factors import FactorList
from vestibule.model.factors import FactorKind

_KINDS = {FactorKind.TOTP: "authenticator app", FactorKind.PASSKEY: "passkey"}


def print_factors(email: str, listed: FactorList) -> None:
    """Print a line for each factor, and how many recovery codes are left; or that there is no factor."""
    if not listed.factors and not listed.unreadable:
        notes.print(f"{email} has no second factor.", markup=False, highlight=False)
        return
    lines = table("factor", Column("name", overflow="fold"), "added (UTC)", "last used (UTC)")
    for factor in listed.factors:
        last_used = _minute(factor.last_used_at) if factor.last_used_at else "never"
        lines.add_row(_KINDS[factor.kind], escape(factor.name or ""), _minute(factor.added_at), last_used)
    results.print(lines)
    if listed.unreadable:
        results.print(f"[yellow]Needed, but cannot be read: {listed.unreadable}[/]", highlight=False)
    results.print(f"Recovery codes left: {listed.recovery_codes_left}", highlight=False)


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
    print_json({**asdict(listed), "factors": factors})


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
