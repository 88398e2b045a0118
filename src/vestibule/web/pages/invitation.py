"""The page of an invitation: the invited person chooses a password, and so takes the account into use."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.invite import accept_invitation
from vestibule.model.one_time_tokens import Purpose
from vestibule.web.caller import EnvDep
from vestibule.web.pages.password_by_link import PasswordPage

INVITATION = PasswordPage(Purpose.INVITATION, "invitation.html", "invitation_accepted")


async def ask(request: Request, env: EnvDep, token: str) -> Response:
    """Ask for a password."""
    return await INVITATION.ask(request, env, token)


async def accept(request: Request, env: EnvDep, token: str) -> Response:
    """Set the password with the mailed link, and lead to the sign-in."""
    return await INVITATION.choose(request, env, token, partial(accept_invitation, env, token))
