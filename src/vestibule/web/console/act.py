"""What an act of an operator on an account is made of. `acts` lists them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from vestibule.flows.env import Env
from vestibule.model.accounts import Account
from vestibule.model.errors import Refusal
from vestibule.model.operators import Operator
from vestibule.model.people import Person
from vestibule.model.permissions import Permission
from vestibule.model.reasons import Mend
from vestibule.web.body import ContractBody
from vestibule.web.console.carry_out import Fields


@dataclass(frozen=True)
class Act:
    """One act. `slug` ends its URLs. `title` is on its button, `question` on the page that asks before, `done` is the
    notice after it. `run` carries the act out and returns whether it changed anything; raises `refusals`. `offered`
    tells whether the person's page has the button, `mends` what the act mends, `danger` whether its button is red.
    `asks` has the fields that the operator has to fill in, if any. `hashes`: it hashes a password.
    """

    slug: str
    permission: Permission
    title: str
    question: str
    done: str
    run: Callable[[Env, Operator, Account, Fields], Awaitable[bool]]
    offered: Callable[[Person], bool]
    mends: tuple[Mend, ...] = ()
    asks: type[ContractBody] | None = None
    refusals: tuple[type[Refusal], ...] = ()
    danger: bool = False
    hashes: bool = False

    @property
    def field(self) -> str:
        """Return the name of the field that the operator has to fill in; empty if there is none."""
        return next(iter(self.asks.model_fields), "") if self.asks else ""
