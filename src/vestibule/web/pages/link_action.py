"""What the links in emails do: a page asks for a click, the click runs a flow, and the next page tells its outcome."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.env import Env
from vestibule.model.errors import VerificationCodeInvalid
from vestibule.model.one_time_tokens import OneTimeToken, Purpose
from vestibule.web.pages import render, return_to, sent_letter
from vestibule.web.pages.dead_link import dead_link_page
from vestibule.web.pages.route import SIGN_IN, see_other

# What the email with the link was about, for `sent_letter`: so the sign-in form has the email that it was mailed to.
_ABOUT = {Purpose.VERIFY_EMAIL: "verify", Purpose.RESET_PASSWORD: "reset", Purpose.INVITATION: "reset"}


@dataclass(frozen=True)
class LinkAction:
    """What a link does: the texts of its page, the purpose of its token, and the `flow` after the click. `flow` returns
    the secret with which a new password is to be chosen now. If it returns None, the sign-in page shows `notice`.
    """

    title: str
    question: str
    button: str
    purpose: Purpose
    flow: Callable[[Env, str], Awaitable[str | None]]
    notice: str


def ask_page(
    request: Request, link_action: LinkAction, otherwise: str = "", other_button: str = "", email: str = ""
) -> Response:
    """Return the page with the link's button. `otherwise` is a second question below that, with `other_button`.
    `email`, which the question may name, is where the link was mailed to.
    """
    texts = {
        "title": link_action.title,
        "question": link_action.question,
        "button": link_action.button,
        "otherwise": otherwise,
        "other_button": other_button,
    }
    variables: dict[str, Any] = {
        name: render.say(request, text, email=email) if text else "" for name, text in texts.items()
    }
    return render.page(request, "ask.html", **variables, new_email="")


async def run_link_action(request: Request, env: Env, link_action: LinkAction, secret: str) -> Response:
    """Run the flow of the link, and redirect to the page for a new password, or to the sign-in page, which says that it
    is done. A link that no longer works gets the page of dead links.
    """
    link = await return_to.adopt_link_target(request, env, secret, link_action.purpose)
    try:
        reset_secret = await link_action.flow(env, secret)
    except VerificationCodeInvalid:
        return dead_link_page(request, link_action.purpose)
    if reset_secret is not None:
        return see_other(f"/resetpassword/{reset_secret}")
    return to_sign_in(request, link_action.notice, link)


def to_sign_in(request: Request, notice: str, link: OneTimeToken | None = None) -> Response:
    """Redirect to the sign-in page, which leads on to where the person was going. With `link`, the form there has the
    email that the link was mailed to.
    """
    target = return_to.as_parameter(return_to.target_of(request))
    response = see_other(return_to.with_query(SIGN_IN, notice=notice, return_to=target))
    if link is not None and link.purpose in _ABOUT:
        sent_letter.remember_opened(request, response, _ABOUT[link.purpose], link)
    return response
