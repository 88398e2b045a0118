"""Operators: who acts on an account that is not theirs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vestibule.model.events import ACTOR_SESSION, Event, EventKind

RECENT = timedelta(minutes=15)
"""The greatest age of an operator's sign-in at the console and its API."""


class Console(StrEnum):
    """What the console and its API require, as VESTIBULE_CONSOLE names it: a second factor; one only if the account has
    one; or they do not exist.
    """

    TWO_FACTORS = "two_factors"
    PASSWORD = "password"
    OFF = "off"


@dataclass(frozen=True)
class Operator:
    """Who acts: the account, the session and the network address of the request; all None on the command line."""

    account_id: str | None = None
    session_id: str | None = None
    network_address: str | None = None

    def event(
        self,
        at: datetime,
        kind: EventKind,
        account_id: str | None,
        before: str | None = None,
        after: str | None = None,
        **detail: str | None,
    ) -> Event:
        """Return the event of this operator's act on an account. The detail has the values before and after the act,
        and `detail`; values that are None are left out.
        """
        said = {"by": "operator", "from": before, "to": after, **detail, ACTOR_SESSION: self.session_id}
        kept = {name: value for name, value in said.items() if value is not None}
        return Event(at, kind, account_id, None, self.network_address, kept, actor_id=self.account_id)


COMMAND_LINE = Operator()
"""A person who can run commands on the server's machine: may do everything, and has no account."""
