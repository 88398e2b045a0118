"""The parts of the console, for its first page: what each is for, who may open it, and how much is wrong there."""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.requests import Request

from vestibule.flows.env import Env
from vestibule.flows.look_after_mail import count_letters
from vestibule.model.findings import Severity
from vestibule.model.permissions import Permission
from vestibule.translations.marking import _
from vestibule.web.pages import render
from vestibule.web.site import site_of


@dataclass(frozen=True)
class Part:
    """A part of the console. `alarm` is how many things are wrong there; 0 if none, or if that is not known."""

    path: str
    name: str
    about: str
    alarm: int = 0


PARTS = {
    Permission.PEOPLE_READ: ("people", _("People"), _("Find somebody, see why they cannot sign in, and mend it.")),
    Permission.ROLES_READ: ("roles", _("Roles"), _("What roles permit in your services, and who has them.")),
    Permission.EVENTS_READ: ("events", _("Events"), _("What happened: by whom, from where, and when.")),
    Permission.LETTERS_READ: ("letters", _("Emails"), _("Which emails wait or were refused; try them again.")),
    Permission.KEYS_READ: ("keys", _("Keys"), _("How old the signing keys are; rotate them.")),
    Permission.SERVICES_READ: ("services", _("Services"), _("Which services have a key; create and revoke keys.")),
    Permission.HEALTH_READ: ("health", _("Health"), _("What the doctor finds, and how to mend it.")),
}
"""Each part's path below `/admin`, name and purpose, by the permission that opens it; in the order of the page."""


async def parts_for(request: Request, env: Env, permitted: Collection[Permission]) -> list[Part]:
    """Return the parts that these permissions open. Emails count those that were refused, and Health the faults in the
    report that is kept: the doctor does not examine anything now.
    """
    refused = (await count_letters(env)).refused if Permission.LETTERS_READ in permitted else 0
    report = site_of(request).health.kept
    faults = sum(finding.severity is Severity.FAULT for finding in report.findings) if report else 0
    alarms = {Permission.LETTERS_READ: refused, Permission.HEALTH_READ: faults}
    return [
        Part(f"/admin/{slug}", render.say(request, name), render.say(request, about), alarms.get(permission, 0))
        for permission, (slug, name, about) in PARTS.items()
        if permission in permitted
    ]
