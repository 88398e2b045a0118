"""Print events: one line for each in 80 columns, every detail of each, or JSON lines for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.markup import escape
from rich.table import Column

from vestibule.cli.console import results
from vestibule.cli.event_sentences import sentence
from vestibule.cli.tables import print_records, shortened, table
from vestibule.model.events import Event, EventKind

Emails = Mapping[str, str]
"""The emails of accounts by their ids; an account that is gone has none."""
_LONGEST_KIND = max(map(len, EventKind))


def print_table(events: Sequence[Event], emails: Emails) -> None:
    """Print a line for each event: when, what kind, whose, and from which network address."""
    what = Column("what", no_wrap=True, min_width=_LONGEST_KIND)
    lines = table("when (UTC)", what, shortened("account"), shortened("from"))
    for event in events:
        whose = emails.get(event.account_id or "", event.account_id or "")
        lines.add_row(_time(event), event.kind.value, *map(escape, (whose, event.network_address or "")))
    results.print(lines)


def print_in_full(events: Sequence[Event], emails: Emails) -> None:
    """Print every detail of each event, with a sentence that says what happened."""
    print_records([(f"{_time(event)} UTC  {event.kind.value}", _details(event, emails)) for event in events])


def print_as_json(events: Sequence[Event], emails: Emails) -> None:
    """Print a line of JSON for each event, with the emails of its account and of the operator who acted."""
    for event in events:
        named = {"email": emails.get(event.account_id or ""), "actor_email": emails.get(event.actor_id or "")}
        row = {**asdict(event), **named, "at": event.at.isoformat(), "kind": event.kind.value}
        print(json.dumps({name: value for name, value in row.items() if value}), flush=True)


def _details(event: Event, emails: Emails) -> dict[str, str]:
    account, actor = event.account_id or "", event.actor_id or ""
    known = {"email": emails.get(account), "account": account, "session": event.session_id}
    known |= {"from": event.network_address, "by": emails.get(actor, actor)}
    # The operator's email, or else their id, replaces a `by` in the detail.
    details = {name: value for name, value in event.detail.items() if not (name == "by" and actor)}
    return {"what": sentence(event), **{name: value or "" for name, value in known.items()}, **details}


def _time(event: Event) -> str:
    return event.at.strftime("%Y-%m-%d %H:%M:%S")
