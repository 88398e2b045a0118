"""The pages for somebody who has lost every second factor: ask for a link at the second step, and open it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.check_link import link_works
from vestibule.flows.report_lost_factors import begin_reset_by_link, report_lost_factors, reset_possible
from vestibule.model.factor_errors import (
    FactorResetLinkInvalid,
    FactorResetUnavailable,
    FactorResetUnderWay,
    NoPendingSignIn,
)
from vestibule.model.one_time_tokens import Purpose
from vestibule.translations.marking import _
from vestibule.web.caller import ClientInfoDep, EnvDep, second_step_handle
from vestibule.web.pages import render, return_to
from vestibule.web.pages.arrival import start_again
from vestibule.web.pages.dead_link import dead_link_page
from vestibule.web.pages.form import read_form
from vestibule.web.pages.route import SIGN_IN, see_other
from vestibule.web.pages.second_step import PATH
from vestibule.web.site import site_of

LOST = f"{PATH}/lost"
_TITLE = _("Turn off two-factor authentication")
_QUESTION = _(
    "Your authenticator app, passkeys and recovery codes will be removed %(when)s, and every device will be signed out."
    " Until then, we keep them if one of them is used. If you did not ask for this, close this page and choose a new"
    " password: someone knows yours."
)
_BUTTON = _("I have lost them")


async def ask_report(request: Request, env: EnvDep) -> Response:
    """Offer to mail the link that begins a reset; or say that one is under way, or that only an operator can help."""
    try:
        reset = await reset_possible(env, second_step_handle(request))
    except NoPendingSignIn:
        return start_again(request)
    except FactorResetUnavailable:
        return _page(request, "unavailable")
    if reset is not None:
        return _page(request, "under_way", due_at=reset.due_at)
    return _page(request, "sent" if "sent" in request.query_params else "offered")


async def report(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Mail the link that begins a reset, and redirect to the page that says so."""
    await read_form(request)
    try:
        await report_lost_factors(env, second_step_handle(request), client_info)
    except NoPendingSignIn:
        return start_again(request)
    except (FactorResetUnavailable, FactorResetUnderWay):  # the page says so
        return see_other(return_to.with_query(LOST, return_to=_target(request)))
    return see_other(return_to.with_query(LOST, sent="yes", return_to=_target(request)))


async def ask_begin(request: Request, env: EnvDep, token: str) -> Response:
    """Ask for the click that begins the wait until the factors are removed."""
    if not env.policy.factor_reset_wait or not await link_works(env, token, Purpose.RESET_FACTORS):
        return dead_link_page(request, Purpose.RESET_FACTORS)
    texts = {"title": _TITLE, "question": _QUESTION, "button": _BUTTON}
    said: dict[str, Any] = {name: render.say(request, text, when=_when(request)) for name, text in texts.items()}
    # `otherwise` is the text above a second button, which this page does not have.
    return render.page(request, "ask.html", **said, otherwise="", new_email="")


async def begin(request: Request, env: EnvDep, token: str) -> Response:
    """Begin the wait until the factors are removed. If a reset is under way, its wait goes on unchanged."""
    try:
        await begin_reset_by_link(env, token)
    except (FactorResetLinkInvalid, FactorResetUnavailable):
        return dead_link_page(request, Purpose.RESET_FACTORS)
    except FactorResetUnderWay:
        pass
    return see_other(return_to.with_query(SIGN_IN, notice="factors_lost"))


def _page(request: Request, state: str, **variables: Any) -> Response:
    return render.page(request, "lost_factors.html", state=state, when=_when(request), **variables)


def _when(request: Request) -> str:
    """Return when factors are removed that are reported lost now: "in 7 days"."""
    return render.waiting_time(request, int(site_of(request).policy.factor_reset_wait.total_seconds()))


def _target(request: Request) -> str:
    return return_to.as_parameter(return_to.target_of(request))
