"""What happened, told to an operator: as `web.pages.account_words` tells the owner, except where that would mislead."""

from collections.abc import Mapping

from starlette.requests import Request

from vestibule.model.events import Event, EventKind
from vestibule.translations.marking import _
from vestibule.web.console.remark_words import REMARKS
from vestibule.web.pages import render
from vestibule.web.pages.account_words import WHAT_HAPPENED

HAPPENED: Mapping[EventKind, str] = {
    **WHAT_HAPPENED,
    EventKind.REGISTRATION_REFUSED: _("Sign-up refused: the email address has an account"),
    EventKind.STEPPED_UP: _("Confirmed that it is them"),
    EventKind.SESSION_SHARED: _("One session used from two places"),
    EventKind.SQUATTER_REMOVED: _("Unconfirmed account with this email address deleted"),
    EventKind.SIGNING_KEY_ROTATED: _("Signing key rotated"),
    EventKind.SIGNING_KEY_WITHDRAWN: _("Signing key withdrawn"),
    EventKind.SERVICE_CREATED: _("Service key created"),
    EventKind.SERVICE_REVOKED: _("Service key revoked"),
    EventKind.ROLE_CREATED: _("Role created"),
    EventKind.ROLE_PERMISSIONS_CHANGED: _("Permissions of a role changed"),
    EventKind.ROLE_DELETED: _("Role deleted"),
    EventKind.LETTERS_RETRIED: _("Emails tried again"),
}
"""The sentence for each kind of event."""
_SAID = ("reason", "fault", "service", "use", "custom_role")


def remark_on(request: Request, event: Event) -> str:
    """Return what is shown after the event's sentence: the first member of its detail that `_SAID` names; empty without
    one. A reason that `REMARKS` knows is put into the reader's language.
    """
    remark = next((event.detail[name] for name in _SAID if event.detail.get(name)), "")
    known = REMARKS.get(event.kind, {}).get(remark)
    return render.say(request, known) if known else remark


def details_of(event: Event) -> dict[str, str]:
    """Return everything that is stored with the event, by the names that the API has for it."""
    known = {"kind": event.kind.value, "account_id": event.account_id, "session_id": event.session_id}
    known |= {"address": event.network_address, "actor_id": event.actor_id}
    return {name: value for name, value in {**known, **dict(sorted(event.detail.items()))}.items() if value}
