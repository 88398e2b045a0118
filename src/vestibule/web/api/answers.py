"""The response bodies of the API. The OpenAPI document shows these classes with their docstrings."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from vestibule.model.accounts import Account, Role
from vestibule.model.factors import FactorKind
from vestibule.model.sessions import Session
from vestibule.web.errors import Json


class Answer(BaseModel):
    """The base of all response bodies. Members that are not declared are forbidden."""

    model_config = ConfigDict(extra="forbid")


class Success(Answer):
    """The request was carried out."""

    status: Literal["success"] = "success"


class Told(Success):
    """The request was carried out; `message` is for the user."""

    message: str


class SignedIn(Success):
    """The access token of the session; the same token is in its cookie."""

    access_token: str


class PublicUser(Answer):
    """What the API shows of an account."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    name: str
    email: str
    photo: str
    role: Role
    created_at: str = Field(alias="createdAt", json_schema_extra={"format": "date-time"})
    updated_at: str = Field(alias="updatedAt", json_schema_extra={"format": "date-time"})
    provider: str | None

    @classmethod
    def of(cls, account: Account) -> "PublicUser":
        return cls(
            id=account.id,
            name=account.name,
            email=account.email,
            photo=account.photo,
            role=account.role,
            createdAt=timestamp(account.created_at),
            updatedAt=timestamp(account.updated_at),
            provider=account.provider,
        )


class UserWithRoles(PublicUser):
    """What the API shows of an account that has custom roles, which operators made."""

    roles: list[str]


def shown_user(account: Account) -> PublicUser:
    """Return what the API shows of an account. The contract has no custom roles, so `roles` is there only if there are
    any.
    """
    user = PublicUser.of(account)
    return UserWithRoles(**user.model_dump(by_alias=True), roles=list(account.roles)) if account.roles else user


class UserData(Answer):
    user: UserWithRoles | PublicUser


class Actor(Answer):
    """The operator who acts as the user."""

    id: str = Field(json_schema_extra={"format": "uuid"})


class ActingData(UserData):
    actor: Actor


class Me(Success):
    """The caller's account. `actor` is there only while an operator acts as its owner."""

    data: ActingData | UserData


class Registered(Told):
    """The new account."""

    data: UserData


class ShownSession(Answer):
    """A signed-in device. `lastSeenAt` is updated at each refresh, so at least once in the life of an access token."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    device: str
    address: str
    created_at: str = Field(alias="createdAt", json_schema_extra={"format": "date-time"})
    last_seen_at: str = Field(alias="lastSeenAt", json_schema_extra={"format": "date-time"})
    current: bool

    @classmethod
    def of(cls, session: Session, current_id: str) -> "ShownSession":
        if session.actor_id is not None:
            return OperatorsSession._of(session, current_id)
        return cls._of(session, current_id)

    @classmethod
    def _of(cls, session: Session, current_id: str) -> Self:
        return cls(
            id=session.id,
            device=session.device.user_agent,
            address=session.device.network_address,
            createdAt=timestamp(session.created_at),
            lastSeenAt=timestamp(session.last_seen_at),
            current=session.id == current_id,
        )


class OperatorsSession(ShownSession):
    """A session in which an operator acts as the owner. `device` and `address`, the operator's, are left empty."""

    by_operator: Literal[True] = Field(default=True, alias="byOperator")


class SessionsData(Answer):
    sessions: list[OperatorsSession | ShownSession]


class SomeSessionsData(SessionsData):
    more: int


class Sessions(Success):
    """Where the account is signed in; `current` marks the caller's session. If there are too many, `more` says how many
    are not listed.
    """

    data: SomeSessionsData | SessionsData


class EndedData(Answer):
    ended: int


class Ended(Success):
    """How many sessions were ended."""

    data: EndedData


class Refused(Answer):
    """The request was refused. `code` is for programs, `message` for people. `factors` comes with two codes: with
    `second_factor_required` it lists the factors to finish the sign-in with, and with
    `second_factor_enrolment_required` those that can be set up.
    """

    status: Literal["fail"]
    code: str
    message: str
    factors: list[FactorKind] = Field(default=[])


class ReauthenticationNeeded(Refused):
    """The last sign-in is too long ago, or lacks the second factor. Step up by one of `satisfied_by`, then send the
    same request again within `max_age` seconds.
    """

    satisfied_by: list[Literal["password"] | FactorKind]
    max_age: int


class BodyError(BaseModel):
    """One error in a body, in zod 3's format."""

    code: str
    path: list[str]
    message: str


class Invalid(Refused):
    """The body cannot be read, or breaks the rules. For broken rules, `errors` has every error at once."""

    errors: list[BodyError] = Field(default=[])


class Faulted(Answer):
    """The server cannot do this now. `Retry-After` says when to try again."""

    status: Literal["error"]
    code: str
    message: str


def as_json(answer: Answer, status: int = 200) -> Json:
    """Return the response with this body."""
    return Json(answer.model_dump(mode="json", by_alias=True), status)


def timestamp(value: datetime) -> str:
    """Return a time as JavaScript writes it: in UTC, with milliseconds and Z."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
