"""The page of one person: on top why they cannot sign in, and what mends it; below, everything about the account."""

from collections.abc import Collection

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.env import Env
from vestibule.flows.see_person import MOST_SHOWN, see_person
from vestibule.model.accounts import Role
from vestibule.model.impersonation import Impersonation, can_be_acted_as
from vestibule.model.operator_errors import PersonUnknown
from vestibule.model.people import Person
from vestibule.model.permissions import OF_ROLE, Permission, permits_all_of
from vestibule.model.why_not_in import why_not_in
from vestibule.web.caller import EnvDep
from vestibule.web.console import letter_words, why_words
from vestibule.web.console.act import Act
from vestibule.web.console.acts import ACTS, END_SESSION
from vestibule.web.console.event_words import HAPPENED, remark_on
from vestibule.web.console.notices import notice_of
from vestibule.web.console.say import said
from vestibule.web.pages import render
from vestibule.web.pages.account_words import WHY_OVER
from vestibule.web.pages.browser_session import BrowserCaller


async def show(request: Request, env: EnvDep, caller: BrowserCaller, account_id: str) -> Response:
    """Show a person; raises `PersonUnknown`."""
    person, now = await person_with(env, account_id), env.clock.now()
    reason = why_not_in(person, now)
    permitted = permitted_on(person, caller.account.role)
    possible = acts_for(person, permitted)
    past = [(session, session.why_over(now)) for session in person.past]
    happened = [
        (event, render.say(request, HAPPENED.get(event.kind, event.kind.value)), remark_on(request, event))
        for event in person.events[:MOST_SHOWN]
    ]
    return render.page(
        request,
        "console/person.html",
        person=person,
        can_act_as=_can_act_as(env, person, permitted),
        can_export=Permission.PEOPLE_EXPORT in permitted,
        paused=[(pause, render.say(request, why_words.PAUSED[pause.of])) for pause in person.factors.paused],
        why=said(request, why_words.sentence(reason)),
        mends=[act for act in possible if reason.mend in act.mends],
        others=[act for act in possible if reason.mend not in act.mends],
        notice=notice_of(request),
        end_session=END_SESSION if END_SESSION.permission in permitted else None,
        past=[(session, render.say(request, WHY_OVER[why])) for session, why in past if why],
        happened=happened,
        letter_names={kind: render.say(request, name) for kind, name in letter_words.LETTER_NAMES.items()},
        fates={fate: render.say(request, name) for fate, name in letter_words.FATES.items()},
    )


async def person_with(env: Env, account_id: str) -> Person:
    """Return the person with this account; raises `PersonUnknown`."""
    person = await see_person(env, account_id)
    if person is None:
        raise PersonUnknown
    return person


def permitted_on(person: Person, role: Role) -> Collection[Permission]:
    """Return what an operator with this role may do to a person: nothing if the role of the person permits more."""
    return OF_ROLE[role] if permits_all_of(role, person.account.role) else ()


def _can_act_as(env: Env, person: Person, permitted: Collection[Permission]) -> bool:
    is_on = env.policy.impersonation is not Impersonation.OFF
    return is_on and Permission.PEOPLE_IMPERSONATE in permitted and can_be_acted_as(person.account)


def acts_for(person: Person, permitted: Collection[Permission]) -> list[Act]:
    """Return what can be done to a person as the account is now, by somebody with these permissions."""
    return [act for act in ACTS if act.permission in permitted and act.offered(person)]
