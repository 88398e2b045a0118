"""The response bodies of the API, as the OpenAPI document declares them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vestibule.model.access_tokens import Issuer
from vestibule.model.accounts import Account, Role
from vestibule.model.sessions import Session
from vestibule.protocol.access_tokens import AccessToken
from vestibule.web.errors import Json


class Answer(BaseModel):
    """The base of all response bodies. Members that are not declared are forbidden."""

    model_config = ConfigDict(extra="forbid")


class Success(Answer):
    """It is done."""

    status: Literal["success"] = "success"


class Told(Success):
    """It is done, and this is what to tell the person."""

    message: str


class SignedIn(Success):
    """The access token, which is also in its cookie."""

    access_token: str


class PublicUser(Answer):
    """What is shown of an account: this and nothing more."""

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
            createdAt=_timestamp(account.created_at),
            updatedAt=_timestamp(account.updated_at),
            provider=account.provider,
        )


class UserData(Answer):
    user: PublicUser


class Me(Success):
    """The account that is asking."""

    data: UserData


class Registered(Told):
    """The new account."""

    data: UserData


class ShownSession(Answer):
    """A device that is signed in. `lastSeenAt` moves with each refresh, so at least once in the life of a token."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    device: str
    address: str
    created_at: str = Field(alias="createdAt", json_schema_extra={"format": "date-time"})
    last_seen_at: str = Field(alias="lastSeenAt", json_schema_extra={"format": "date-time"})
    current: bool

    @classmethod
    def of(cls, session: Session, asking: str) -> "ShownSession":
        return cls(
            id=session.id,
            device=session.device.user_agent,
            address=session.device.network_address,
            createdAt=_timestamp(session.created_at),
            lastSeenAt=_timestamp(session.last_seen_at),
            current=session.id == asking,
        )


class SessionsData(Answer):
    sessions: list[ShownSession]


class SomeSessionsData(SessionsData):
    more: int


class Sessions(Success):
    """Where the account is signed in; `current` marks the session that asks. Where there are too many, `more`
    are not listed.
    """

    data: SomeSessionsData | SessionsData


class EndedData(Answer):
    ended: int


class Ended(Success):
    """How many sessions that ended."""

    data: EndedData


class Refused(Answer):
    """The caller may not have this, or not like this. Programs read `code`, people read `message`."""

    status: Literal["fail"]
    code: str
    message: str


class BodyFault(BaseModel):
    """One fault in a body, in the shape zod 3 gives it."""

    code: str
    path: list[str]
    message: str


class Invalid(Refused):
    """The body cannot be read, or breaks the rules; then `errors` has every fault at once."""

    errors: list[BodyFault] = Field(default=[])


class Faulted(Answer):
    """It cannot be done now; `Retry-After` says when to try again."""

    status: Literal["error"]
    code: str
    message: str


class JwkSet(Answer):
    """Public keys (RFC 7517, section 5)."""

    keys: list[dict[str, Any]]


class Introspection(BaseModel):
    """What a token is worth now (RFC 7662, section 2.2). For one that is worth nothing: `active`, and no more."""

    active: bool
    sub: str | None = None
    sid: str | None = None
    jti: str | None = None
    role: Role | None = None
    email_verified: bool | None = None
    iss: str | None = None
    aud: str | None = None
    iat: int | None = None
    exp: int | None = None
    token_type: Literal["Bearer"] | None = None

    @classmethod
    def of(cls, token: AccessToken | None, issuer: Issuer) -> "Introspection":
        if token is None:
            return cls(active=False)
        return cls(
            active=True,
            sub=token.account_id,
            sid=token.session_id,
            jti=token.id,
            role=Role(token.role),
            email_verified=token.email_verified,
            iss=issuer.name,
            aud=issuer.audience,
            iat=token.issued_at,
            exp=token.expires_at,
            token_type="Bearer",  # noqa: S106  # a kind, not a secret
        )


def as_json(answer: Answer, status: int = 200) -> Json:
    """Return the response with this body."""
    return Json(answer.model_dump(mode="json", by_alias=True), status)


def _timestamp(value: datetime) -> str:
    """Return a time as JavaScript writes it: in UTC, with milliseconds and Z."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
