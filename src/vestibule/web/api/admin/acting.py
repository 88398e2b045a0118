"""The handler with which an operator begins to act as somebody else, by the API."""

from pydantic import Field
from starlette.responses import Response

from vestibule.flows.find_people import account_with_id
from vestibule.flows.impersonate import impersonate
from vestibule.web.api import answers
from vestibule.web.api.admin.admin_bodies import Impersonate
from vestibule.web.body import Sent
from vestibule.web.caller import EnvDep
from vestibule.web.operator_guard import ActingOperator


class ActingData(answers.Answer):
    """The session in which the operator acts, and when it ends at the latest."""

    session: str = Field(json_schema_extra={"format": "uuid"})
    expires_at: str = Field(alias="expiresAt", json_schema_extra={"format": "date-time"})


class ActingBegun(answers.SignedIn):
    """The access token with which the operator acts as the person. It cannot be refreshed; signing out with it ends
    the acting.
    """

    data: ActingData


async def begin(env: EnvDep, operator: ActingOperator, sent: Sent[Impersonate], account_id: str) -> Response:
    """Begin to act as a person, for 30 minutes at most. The token is only in the body; no cookie changes."""
    account = await account_with_id(env, account_id)
    acting = await impersonate(env, operator, account.id, sent.reason)
    data = ActingData(session=acting.session.id, expiresAt=answers.timestamp(acting.session.expires_at))
    return answers.as_json(ActingBegun(access_token=acting.tokens.access_token, data=data), 201)
