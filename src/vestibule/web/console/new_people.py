"""The ways to make an account for somebody on the console: by an invitation, or at once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from vestibule.flows.create_account import create_account
from vestibule.flows.env import Env
from vestibule.flows.invite import invite
from vestibule.model.accounts import Account, Role
from vestibule.model.operators import Operator
from vestibule.translations.marking import _
from vestibule.web.api.admin import admin_bodies
from vestibule.web.body import ContractBody


@dataclass(frozen=True)
class Way:
    """A way to make an account. `title` is on its button, `question` on its page, `done` is the notice after it. `asks`
    has the fields of the form, and `make` makes the account from them.
    """

    slug: str
    title: str
    question: str
    done: str
    asks: type[ContractBody]
    make: Callable[[Env, Operator, Any], Awaitable[Account]]


async def _invite(env: Env, operator: Operator, sent: admin_bodies.Invite) -> Account:
    return await invite(env, operator, sent.called, sent.email)


async def _create(env: Env, operator: Operator, sent: admin_bodies.Create) -> Account:
    account, _password = await create_account(env, operator, sent.called, sent.email, Role(sent.role))
    return account


INVITE = Way(
    "invite",
    _("Invite somebody"),
    _(
        "An email with a link goes to the address. Anybody who opens it within seven days chooses a password, and the "
        "account is ready."
    ),
    _("The invitation is on its way."),
    admin_bodies.Invite,
    _invite,
)
CREATE = Way(
    "create",
    _("Create an account"),
    _(
        "The email address counts as confirmed, so be sure that it is right. Nobody knows the password: send a "
        "link for a new one next."
    ),
    _("The account is created. Send its owner a link for a new password."),
    admin_bodies.Create,
    _create,
)
WAYS = (INVITE, CREATE)
"""Both ways, in the order of the buttons."""
