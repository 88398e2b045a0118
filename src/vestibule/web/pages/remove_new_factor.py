"""The page of the link that removes a new factor, which somebody else has added."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.check_link import link_works
from vestibule.flows.remove_new_factor import remove_new_factor
from vestibule.model.factor_errors import FactorResetLinkInvalid
from vestibule.model.one_time_tokens import Purpose
from vestibule.translations.marking import _
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.pages import render, return_to
from vestibule.web.pages.dead_link import dead_link_page
from vestibule.web.pages.link_action import to_sign_in
from vestibule.web.pages.route import see_other

_TITLE = _("Remove the new way to sign in")
_QUESTION = _(
    "If you did not add the authenticator app or passkey that our email tells of, remove it. What was added since is"
    " removed too, with its recovery codes. All devices are signed out, and you choose a new password. If you added it"
    " yourself, close this page: nothing has changed."
)
_BUTTON = _("It was not me: remove it")


async def ask_remove(request: Request, env: EnvDep, token: str) -> Response:
    """Ask for the click that removes the factor which the link is for."""
    if not await link_works(env, token, Purpose.REMOVE_NEW_FACTOR):
        return dead_link_page(request, Purpose.REMOVE_NEW_FACTOR)
    texts = {"title": _TITLE, "question": _QUESTION, "button": _BUTTON}
    said: dict[str, Any] = {name: render.say(request, text) for name, text in texts.items()}
    # `otherwise` is the text above a second button, which this page does not have.
    return render.page(request, "ask.html", **said, otherwise="", new_email="")


async def remove(request: Request, env: EnvDep, client_info: ClientInfoDep, token: str) -> Response:
    """Remove the factor, and redirect to the page for a new password. If the account has another email by now, redirect
    to the sign-in page, which says that a link for a new password was sent there.
    """
    try:
        secret = await remove_new_factor(env, token, client_info)
    except FactorResetLinkInvalid:
        return dead_link_page(request, Purpose.REMOVE_NEW_FACTOR)
    if secret is None:
        return to_sign_in(request, "factor_reported_elsewhere")
    return see_other(return_to.with_query(f"/resetpassword/{secret}", notice="factor_reported"))
