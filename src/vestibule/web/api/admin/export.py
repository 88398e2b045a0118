"""The handler that exports a person for an operator."""

from starlette.responses import Response, StreamingResponse

from vestibule.flows.data_as_json import data_as_json
from vestibule.flows.env import Env
from vestibule.flows.export_person import export_person
from vestibule.flows.find_people import account_with_id
from vestibule.model.accounts import Account
from vestibule.model.operators import Operator
from vestibule.web.caller import EnvDep
from vestibule.web.errors import Json
from vestibule.web.operator_guard import ActingOperator

_AS_FILE = {"X-Content-Type-Options": "nosniff"}


async def export(env: EnvDep, operator: ActingOperator, account_id: str) -> Response:
    """Stream everything stored about a person as one JSON object: the same file that the owner can export. It has no
    password, secret or token. The export is an event that the owner sees.
    """
    return await exported(env, operator, await account_with_id(env, account_id))


async def exported(env: Env, operator: Operator, account: Account) -> Response:
    """Record the export, and return the data as a file. Raises what `export_person` raises."""
    parts = data_as_json(await export_person(env, operator, account))
    named = {"Content-Disposition": f'attachment; filename="{account.id}.json"'}
    return StreamingResponse(parts, media_type=Json.media_type, headers=_AS_FILE | named)
