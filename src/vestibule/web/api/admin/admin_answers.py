"""The response bodies of the admin API. The OpenAPI document shows these classes with their docstrings."""

from pydantic import Field

from vestibule.model.accounts import Role
from vestibule.model.permissions import Permission
from vestibule.web.api.answers import Answer, Success


class OperatorData(Answer):
    """The role of the caller's account, what it permits, and until when the sign-in counts."""

    role: Role
    permissions: list[Permission]
    signed_in_until: str = Field(json_schema_extra={"format": "date-time"})


class OperatorMe(Success):
    """What the caller may do as an operator."""

    data: OperatorData


class ActData(Answer):
    """`changed` is false if there was nothing to change, so sending a request again is safe."""

    changed: bool


class ActDone(Success):
    """What an act on an account has done."""

    data: ActData
