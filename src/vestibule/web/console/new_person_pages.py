"""The pages that make an account for somebody: a form, which leads on to the new account's page."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.model.accounts import Role
from vestibule.model.errors import EmailTaken, Refusal
from vestibule.model.operator_errors import TooManyLinks
from vestibule.web.caller import EnvDep
from vestibule.web.console.new_people import Way
from vestibule.web.console.people import PEOPLE
from vestibule.web.console.words import WHY_NOT_DONE
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import SessionForm
from vestibule.web.pages.form import validated
from vestibule.web.pages.route import see_other
from vestibule.web.pages.words import Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid


def asking(way: Way) -> Callable[..., Any]:
    """Return the handler of the page with the form."""

    async def ask(request: Request) -> Response:
        return _page(request, way)

    return ask


def making(way: Way) -> Callable[..., Any]:
    """Return the handler that makes the account and leads to it; it raises what the flow raises."""

    async def make(request: Request, env: EnvDep, form: SessionForm, operator: ActingOnPage) -> Response:
        try:
            account = await way.make(env, operator, validated(request, way.asks, form))
        except BodyInvalid as invalid:
            return _page(request, way, invalid, faults_of(invalid.entries))
        except (EmailTaken, TooManyLinks) as refused:
            return _page(request, way, refused, {"email": WHY_NOT_DONE[type(refused)]})
        return see_other(return_to.with_query(f"{PEOPLE}/{account.id}", done=way.slug))

    return make


def _page(
    request: Request, way: Way, refusal: Refusal | None = None, faults: dict[str, Sentence] | None = None
) -> Response:
    status = HTTP_MAPPINGS[type(refusal)].status if refusal else 200
    roles = list(Role) if "role" in way.asks.model_fields else []
    words = {"title": way.title, "question": way.question}
    return render.page(request, "console/new_person.html", status, faults=faults, way=words, roles=roles, at=PEOPLE)
