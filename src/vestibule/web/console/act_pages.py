"""The pages of the acts: each asks before it is carried out, and leads back to the person."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.model.accounts import Role
from vestibule.model.errors import Refusal
from vestibule.model.people import Person
from vestibule.web.caller import EnvDep
from vestibule.web.console.acts import Act
from vestibule.web.console.carry_out import Fields
from vestibule.web.console.notices import UNCHANGED
from vestibule.web.console.people import PEOPLE
from vestibule.web.console.person import person_with
from vestibule.web.console.words import WHY_NOT_DONE
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import SessionForm
from vestibule.web.pages.form import validated
from vestibule.web.pages.route import see_other
from vestibule.web.pages.words import Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid


def asking(act: Act) -> Callable[..., Any]:
    """Return the handler of the page that asks before the act; it raises `PersonUnknown`."""

    async def ask(request: Request, env: EnvDep, account_id: str) -> Response:
        return _page(request, act, await person_with(env, account_id))

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
            return _page(request, act, person, _status(invalid), faults_of(invalid.entries))
        except act.refusals as refused:
            if type(refused) not in WHY_NOT_DONE:
                raise
            return _page(request, act, person, _status(refused), {act.field or "act": WHY_NOT_DONE[type(refused)]})
        at = PEOPLE if act.slug == "delete" else f"{PEOPLE}/{account_id}"
        return see_other(return_to.with_query(at, done=act.slug if changed else UNCHANGED))

    return carry_out


def _fields(request: Request, act: Act, form: Fields) -> Fields:
    """Return what was typed and the parameters of the path; raises `BodyInvalid`."""
    typed = validated(request, act.asks, form).model_dump() if act.asks else {}
    return {**request.path_params, **typed}


def _status(refusal: Refusal) -> int:
    return HTTP_MAPPINGS[type(refusal)].status


def _page(
    request: Request, act: Act, person: Person, status: int = 200, faults: dict[str, Sentence] | None = None
) -> Response:
    return render.page(
        request,
        "console/act.html",
        status,
        faults=faults,
        whose={"name": person.account.name, "email": person.account.email},
        person_at=f"{PEOPLE}/{person.account.id}",
        act={"title": act.title, "question": act.question, "field": act.field, "danger": act.danger},
        role=person.account.role,
        roles=list(Role),
    )
