"""The page of an invitation: the invited person chooses a password, and so takes the account into use."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.check_link import link_works
from vestibule.flows.invite import accept_invitation
from vestibule.model.errors import InvitationInvalid, PasswordTooEasy
from vestibule.model.one_time_tokens import Purpose
from vestibule.web.api import bodies
from vestibule.web.caller import EnvDep, set_device_cookie
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import render, return_to
from vestibule.web.pages.dead_link import dead_link_page
from vestibule.web.pages.form import read_form, validated
from vestibule.web.pages.link_action import to_sign_in
from vestibule.web.pages.words import TOO_EASY, Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of


async def ask(request: Request, env: EnvDep, token: str) -> Response:
    """Ask for a password."""
    link = await return_to.adopt_link_target(request, env, token, Purpose.INVITATION)
    if link is None or not await link_works(env, token, Purpose.INVITATION):
        return dead_link_page(request, Purpose.INVITATION)
    return password_form(request, email=link.email)


async def accept(request: Request, env: EnvDep, token: str) -> Response:
    """Set the password with the mailed link, and lead to the sign-in."""
    link = await return_to.adopt_link_target(request, env, token, Purpose.INVITATION)
    fields, email = await read_form(request), link.email if link is not None else ""
    try:
        sent = validated(request, bodies.ResetPassword, fields)
        device = await accept_invitation(env, token, sent.password)
    except BodyInvalid as invalid:
        return password_form(request, HTTP_MAPPINGS[BodyInvalid].status, faults_of(invalid.entries), email)
    except PasswordTooEasy as easy:
        faults = {"password": TOO_EASY[easy.why]}
        return password_form(request, HTTP_MAPPINGS[PasswordTooEasy].status, faults, email)
    except InvitationInvalid:
        return dead_link_page(request, Purpose.INVITATION)
    response = to_sign_in(request, "invitation_accepted", link)
    set_device_cookie(request, response, env, device)
    return response


def password_form(
    request: Request, status: int = 200, faults: dict[str, Sentence] | None = None, email: str = ""
) -> Response:
    """Return the page that asks for a password, with the email that the link was mailed to."""
    min_length = site_of(request).policy.passwords.min_length
    return render.page(request, "invitation.html", status, faults=faults, min_length=min_length, email=email)
