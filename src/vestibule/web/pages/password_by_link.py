"""A password that is chosen on the page of a mailed link: a new one, or the first one of somebody who was invited."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.check_link import link_works
from vestibule.flows.env import Env
from vestibule.model.devices import DeviceSecret
from vestibule.model.errors import InvitationInvalid, PasswordTooEasy, ResetTokenInvalid
from vestibule.model.one_time_tokens import Purpose
from vestibule.web.api import bodies
from vestibule.web.caller import set_device_cookie
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import render, return_to
from vestibule.web.pages.dead_link import dead_link_page
from vestibule.web.pages.form import read_form, validated
from vestibule.web.pages.link_action import to_sign_in
from vestibule.web.pages.words import TOO_EASY, Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of


@dataclass(frozen=True)
class PasswordPage:
    """The page of one kind of link. `template` is its form; the sign-in that follows shows `notice`."""

    purpose: Purpose
    template: str
    notice: str

    def form(
        self, request: Request, status: int = 200, faults: dict[str, Sentence] | None = None, email: str = ""
    ) -> Response:
        """Return the form. It names the email that the link was mailed to, for password managers too."""
        min_length = site_of(request).policy.passwords.min_length
        return render.page(request, self.template, status, faults=faults, min_length=min_length, email=email)

    async def ask(self, request: Request, env: Env, token: str) -> Response:
        """Ask for a password, or say that the link is dead."""
        link = await return_to.adopt_link_target(request, env, token, self.purpose)
        if link is None or not await link_works(env, token, self.purpose):
            return dead_link_page(request, self.purpose)
        return self.form(request, email=link.email)

    async def choose(
        self, request: Request, env: Env, token: str, set_password: Callable[[str], Awaitable[DeviceSecret | None]]
    ) -> Response:
        """Set the password with `set_password`, and redirect to the sign-in. `set_password` returns the secret that
        makes this browser a known device, or None, and raises a refusal if the link is dead.
        """
        link = await return_to.adopt_link_target(request, env, token, self.purpose)
        fields, email = await read_form(request), link.email if link is not None else ""
        try:
            device = await set_password(validated(request, bodies.ResetPassword, fields).password)
        except BodyInvalid as invalid:
            return self.form(request, HTTP_MAPPINGS[BodyInvalid].status, faults_of(invalid.entries), email)
        except PasswordTooEasy as easy:
            faults = {"password": TOO_EASY[easy.why]}
            return self.form(request, HTTP_MAPPINGS[PasswordTooEasy].status, faults, email)
        except (InvitationInvalid, ResetTokenInvalid):
            return dead_link_page(request, self.purpose)
        response = to_sign_in(request, self.notice, link)
        set_device_cookie(request, response, env, device)
        return response
