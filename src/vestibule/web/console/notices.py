"""Say on the next page what an act has done."""

from starlette.requests import Request

from vestibule.web.console.acts import EVERY_ACT, NOTHING
from vestibule.web.console.new_people import WAYS
from vestibule.web.console.role_words import DONE as ROLES_DONE
from vestibule.web.console.words import DONE
from vestibule.web.pages import render

UNCHANGED = "nothing"
"""The `done` in the URL after an act that found nothing to do."""
_OWN = "same-origin"


def notice_of(request: Request) -> str:
    """Return what was just done, by the `done` in the URL, which can show no other text; empty without it. Empty, too,
    if a link led here that is not our own: it could say that something was done which was not.
    """
    if request.headers.get("sec-fetch-site", _OWN) != _OWN:
        return ""
    notices = {act.slug: act.done for act in (*EVERY_ACT, *WAYS)} | DONE | ROLES_DONE | {UNCHANGED: NOTHING}
    notice = notices.get(request.query_params.get("done", ""), "")
    return render.say(request, notice) if notice else ""
