"""The pages of the acts: each asks before it is carried out, and leads back to the person."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.model.accounts import MAX_REASON_CHARACTERS
from vestibule.model.people import Person
from vestibule.web.caller import EnvDep
from vestibule.web.console.acts import Act, ActRefusedError, Fields, _
from vestibule.web.console.notices import UNCHANGED
from vestibule.web.console.people import PEOPLE
from vestibule.web.console.person import person_with
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import SessionForm
from vestibule.web.pages.route import see_other
from vestibule.web.pages.words import Sentence

_WRONG, _CONFLICT = 400, 409
_NO_REASON: Sentence = (_("Say why, for the operators who come after you."), {})
_LONG_REASON: Sentence = (_("Use at most %(count)s characters."), {"count": MAX_REASON_CHARACTERS})
_OTHER_EMAIL: Sentence = (_("This is not the email address of the account."), {})


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
        if fault := _fault(act, person, form):
            return _page(request, act, person, _WRONG, {act.field: fault})
        try:
            changed = await act.run(env, operator, person.account, form)
        except ActRefusedError as refused:
            return _page(request, act, person, _CONFLICT, {"act": (str(refused), {})})
        at = PEOPLE if act.slug == "delete" else f"{PEOPLE}/{account_id}"
        return see_other(return_to.with_query(at, done=act.slug if changed else UNCHANGED))

    return carry_out


def _fault(act: Act, person: Person, form: Fields) -> Sentence | None:
    """Return what is wrong with the field that the act asks for."""
    typed = form.get(act.field, "").strip()
    if act.field == "reason":
        return (_LONG_REASON if len(typed) > MAX_REASON_CHARACTERS else None) if typed else _NO_REASON
    if act.field == "email" and typed.lower() != person.account.email:
        return _OTHER_EMAIL
    return None


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
    )
