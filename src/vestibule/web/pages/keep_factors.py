"""The pages that cancel a reset of second factors: the mailed link, and the button in the account."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.cancel_factor_reset import cancel_by_link, cancel_my_reset, reset_of_link
from vestibule.model.factor_errors import FactorResetLinkInvalid, FactorResetUnknown
from vestibule.model.one_time_tokens import Purpose
from vestibule.translations.marking import _
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import BrowserCaller, SessionForm
from vestibule.web.pages.dead_link import dead_link_page
from vestibule.web.pages.my_factors import SECURITY
from vestibule.web.pages.route import SIGN_IN, see_other

_TITLE = _("Keep two-factor authentication")
_QUESTION = _(
    "Your authenticator app, passkeys and recovery codes are about to be removed. If you still have them, or did not"
    " ask for this, keep them. If you have lost them, close this page."
)
_BUTTON = _("Keep two-factor authentication")
_KEPT = "factors_kept"


async def ask_keep(request: Request, env: EnvDep, token: str) -> Response:
    """Ask for the click that cancels the reset which the link is for."""
    try:
        await reset_of_link(env, token)
    except FactorResetLinkInvalid:
        return dead_link_page(request, Purpose.KEEP_FACTORS)
    texts = {"title": _TITLE, "question": _QUESTION, "button": _BUTTON}
    said: dict[str, Any] = {name: render.say(request, text) for name, text in texts.items()}
    # `otherwise` is the text above a second button, which this page does not have.
    return render.page(request, "ask.html", **said, otherwise="", new_email="")


async def keep(request: Request, env: EnvDep, client_info: ClientInfoDep, token: str) -> Response:
    """Cancel the reset which the link is for."""
    try:
        await cancel_by_link(env, token, client_info)
    except FactorResetLinkInvalid:
        return dead_link_page(request, Purpose.KEEP_FACTORS)
    return see_other(return_to.with_query(SECURITY if render.has_session(request) else SIGN_IN, notice=_KEPT))


async def keep_mine(env: EnvDep, caller: BrowserCaller, _form: SessionForm, client_info: ClientInfoDep) -> Response:
    """Cancel the reset of my factors. One that is over already is not an error."""
    try:
        await cancel_my_reset(env, caller, client_info)
    except FactorResetUnknown:
        return see_other(SECURITY)
    return see_other(return_to.with_query(SECURITY, notice=_KEPT))
