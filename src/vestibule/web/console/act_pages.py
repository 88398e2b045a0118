"""The pages of the acts: each asks before it is carried out, and leads back to the person."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.custom_roles import list_custom_roles
from vestibule.flows.env import Env
from vestibule.flows.see_person import probably_meant
from vestibule.model.accounts import Role
from vestibule.model.errors import Refusal
from vestibule.model.people import Person
from vestibule.web.api.admin import admin_bodies
from vestibule.web.body import validate
from vestibule.web.caller import EnvDep
from vestibule.web.console.act import Act
from vestibule.web.console.carry_out import Fields
from vestibule.web.console.notices import UNCHANGED
from vestibule.web.console.people import PEOPLE
from vestibule.web.console.person import person_with
from vestibule.web.console.words import WHY_NOT_DONE
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import SessionForm
from vestibule.web.pages.form import checked, validated
from vestibule.web.pages.route import see_other
from vestibule.web.pages.words import Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

_BOXES = "roles"
"""The name of the field that is shown as boxes, one for each custom role."""


def asking(act: Act) -> Callable[..., Any]:
    """Return the handler of the page that asks before the act; it raises `PersonUnknown`."""

    async def ask(request: Request, env: EnvDep, account_id: str) -> Response:
        return await _page(request, env, act, await person_with(env, account_id))

    return ask


def doing(act: Act) -> Callable[..., Any]:
    """Return the handler that carries the act out; it raises `PersonUnknown`, and what the flow of the act raises."""

    async def carry_out(
        request: Request, env: EnvDep, form: SessionForm, operator: ActingOnPage, account_id: str
    ) -> Response:
        person = await person_with(env, account_id)
        try:
            changed = await act.run(env, operator, person.account, _fields(request, act, form))
        except BodyInvalid as invalid:
            return await _page(request, env, act, person, _status(invalid), faults_of(invalid.entries))
        except act.refusals as refused:
            if type(refused) not in WHY_NOT_DONE:
                raise
            faults = {act.field or "act": WHY_NOT_DONE[type(refused)]}
            return await _page(request, env, act, person, _status(refused), faults, checked(form, _BOXES))
        at = PEOPLE if act.slug == "delete" else f"{PEOPLE}/{account_id}"
        return see_other(return_to.with_query(at, done=act.slug if changed else UNCHANGED))

    return carry_out


def _fields(request: Request, act: Act, form: Fields) -> Fields:
    """Return what the operator typed or chose, and the parameters of the path; raises `BodyInvalid`."""
    typed: Fields = {}
    if act.field == _BOXES:
        typed = validate(admin_bodies.SetRoles, {_BOXES: checked(form, _BOXES)}, site_of(request).policy).model_dump()
    elif act.asks:
        typed = validated(request, act.asks, form).model_dump()
    return {**request.path_params, **typed}


def _status(refusal: Refusal) -> int:
    return HTTP_MAPPINGS[type(refusal)].status


async def _suggested(request: Request, env: Env, act: Act, person: Person) -> str:
    """Return the email that the empty form suggests: the one in the URL (`to`), which the operator has searched for.
    Return an empty text unless the account's email looks like that one, mistyped: so the link of a stranger cannot
    suggest any other email.
    """
    sought = request.query_params.get("to", "")
    if act.asks is not admin_bodies.SetEmail or not sought:
        return ""
    typo = await probably_meant(env, sought)
    return sought if typo and typo.other.id == person.account.id else ""


async def _page(
    request: Request,
    env: Env,
    act: Act,
    person: Person,
    status: int = 200,
    faults: dict[str, Sentence] | None = None,
    chosen: Sequence[str] | None = None,
) -> Response:
    """Return the page of the act. `chosen` are the roles whose boxes are checked; None checks those of the account."""
    made = await list_custom_roles(env) if act.field == _BOXES else ()
    return act_page(
        request,
        {"title": act.title, "question": act.question, "field": act.field, "danger": act.danger},
        person,
        status,
        faults,
        boxes=[{"name": role.name, "permits": role.permissions} for role in made],
        has=person.account.roles if chosen is None else chosen,
        suggested=await _suggested(request, env, act, person),
    )


def act_page(
    request: Request,
    asked: Mapping[str, Any],
    person: Person,
    status: int = 200,
    faults: dict[str, Sentence] | None = None,
    **variables: Any,
) -> Response:
    """Return the page that asks before an act. `asked` has the act's `title` and `question`, the `field` to fill in,
    empty if there is none, and `danger`: whether the button is red.
    """
    return render.page(
        request,
        "console/act.html",
        status,
        faults=faults,
        whose={"name": person.account.name, "email": person.account.email},
        person_at=f"{PEOPLE}/{person.account.id}",
        act=asked,
        role=person.account.role,
        roles=list(Role),
        **variables,
    )
