"""Make a handler for each act on an account: the acts of the console, with the same permission, words and flow."""

from collections.abc import Callable
from typing import Any, cast

from starlette.responses import Response

from vestibule.flows.env import Env
from vestibule.flows.find_people import account_with_id
from vestibule.model.operators import Operator
from vestibule.web.api import answers
from vestibule.web.api.admin import admin_answers
from vestibule.web.body import ContractBody, Sent
from vestibule.web.caller import EnvDep
from vestibule.web.console.act import Act
from vestibule.web.console.acts import END_SESSION
from vestibule.web.console.carry_out import Fields
from vestibule.web.operator_guard import ActingOperator


def doing(act: Act) -> Callable[..., Any]:
    """Return the handler that carries the act out; it raises `PersonUnknown`, and what the flow of the act raises."""
    handler = _with_body(act) if act.asks else _without_body(act)
    handler.__name__ = f"person_{act.slug.replace('-', '_')}"
    handler.__doc__ = f"{act.title}. {act.question}"
    return handler


async def end_session(env: EnvDep, operator: ActingOperator, account_id: str, session_id: str) -> Response:
    """Sign out one device of the account. Its tokens are refused at once and everywhere."""
    return await _carry_out(END_SESSION, env, operator, account_id, {"session_id": session_id})


def _with_body(act: Act) -> Callable[..., Any]:
    async def carry_out(env: EnvDep, operator: ActingOperator, account_id: str, sent: ContractBody) -> Response:
        return await _carry_out(act, env, operator, account_id, sent.model_dump())

    # FastAPI reads the body's type from the annotation, and each act has another one.
    carry_out.__annotations__["sent"] = cast(Any, Sent)[act.asks]
    return carry_out


def _without_body(act: Act) -> Callable[..., Any]:
    async def carry_out(env: EnvDep, operator: ActingOperator, account_id: str) -> Response:
        return await _carry_out(act, env, operator, account_id, {})

    return carry_out


async def _carry_out(act: Act, env: Env, operator: Operator, account_id: str, fields: Fields) -> Response:
    account = await account_with_id(env, account_id)
    changed = await act.run(env, operator, account, fields)
    return answers.as_json(admin_answers.ActDone(data=admin_answers.ActData(changed=changed)))
