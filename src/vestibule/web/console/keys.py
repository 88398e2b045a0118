"""The signing keys on the console: how old they are, and rotating them."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.open_key_ring import stored_keys
from vestibule.flows.rotate_keys import KeysUnchanged, rotate_keys
from vestibule.model.signing_keys import KeyState, KeyUse
from vestibule.translations.marking import _
from vestibule.web.api.admin.keys import in_order
from vestibule.web.caller import EnvDep
from vestibule.web.console.notices import notice_of
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import SessionForm
from vestibule.web.pages.route import see_other
from vestibule.web.pages.words import Sentence

KEYS = "/admin/keys"
_CONFLICT = 409
_GIVEN = _("The signing keys are given by settings. Rotate them where those are kept.")
_NOT_YET = _("The next keys can sign from %(when)s on: by then every service that keeps the published keys has them.")
KEY_STATES = {
    KeyState.NEXT: _("published, signs next"),
    KeyState.CURRENT: _("signs"),
    KeyState.RETIRED: _("checks what it signed"),
}
KEY_USES = {KeyUse.ACCESS: _("Access tokens"), KeyUse.REFRESH: _("Refresh tokens")}


async def show(request: Request, env: EnvDep) -> Response:
    """Show the keys that are not gone."""
    keys = in_order(await stored_keys(env.store)) if env.key_manager is not None else []
    return render.page(
        request,
        "console/keys.html",
        keys=keys,
        are_given=env.key_manager is None,
        states={state: render.say(request, text) for state, text in KEY_STATES.items()},
        uses={use: render.say(request, text) for use, text in KEY_USES.items()},
        notice=notice_of(request),
    )


async def ask_rotate(request: Request) -> Response:
    """Ask before the keys are rotated."""
    return render.page(request, "console/rotate.html")


async def rotate(request: Request, env: EnvDep, _form: SessionForm, operator: ActingOnPage) -> Response:
    """Rotate the keys of both uses, and go back to the page of keys."""
    try:
        await rotate_keys(env, list(KeyUse), operator)
    except KeysUnchanged as unchanged:
        return _not_rotated(request, unchanged.ready_at)
    return see_other(return_to.with_query(KEYS, done="rotated"))


def _not_rotated(request: Request, ready_at: datetime | None) -> Response:
    """Ask again, and say why nothing was rotated: too early; or, without `ready_at`, the keys are given by settings."""
    why: Sentence = (_GIVEN, {}) if ready_at is None else (_NOT_YET, {"when": f"{ready_at:%Y-%m-%d %H:%M} UTC"})
    return render.page(request, "console/rotate.html", _CONFLICT, faults={"keys": why})
