"""The response bodies of the API. The OpenAPI document shows these classes with their docstrings."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vestibule.model.access_tokens import Issuer
from vestibule.model.accounts import Account, Role
from vestibule.model.factors import FactorKind
from vestibule.model.passkeys import Passkey
from vestibule.model.sessions import Session
from vestibule.model.totp import Totp
from vestibule.protocol.access_tokens import AccessToken
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
    """The access token, which is also in its cookie."""

    access_token: str


class PasskeyOptionsData(Answer):
    public_key: dict[str, Any] = Field(alias="publicKey")


class PasskeyOptions(Success):
    """What to ask the browser for: `publicKey` is for `PublicKeyCredential.parseRequestOptionsFromJSON` or
    `parseCreationOptionsFromJSON` (WebAuthn, section 5.1).
    """

    data: PasskeyOptionsData


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
            createdAt=_timestamp(account.created_at),
            updatedAt=_timestamp(account.updated_at),
            provider=account.provider,
        )


class UserData(Answer):
    user: PublicUser


class Me(Success):
    """The caller's account."""

    data: UserData


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
        return cls(
            id=session.id,
            device=session.device.user_agent,
            address=session.device.network_address,
            createdAt=_timestamp(session.created_at),
            lastSeenAt=_timestamp(session.last_seen_at),
            current=session.id == current_id,
        )


class SessionsData(Answer):
    sessions: list[ShownSession]


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


class ShownTotp(Answer):
    """The authenticator app of an account."""

    created_at: str = Field(alias="createdAt", json_schema_extra={"format": "date-time"})
    last_used_at: str | None = Field(alias="lastUsedAt", json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, totp: Totp) -> "ShownTotp":
        last_used_at = _timestamp(totp.last_used_at) if totp.last_used_at else None
        return cls(createdAt=_timestamp(totp.created_at), lastUsedAt=last_used_at)


class FactorsData(Answer):
    totp: ShownTotp | None
    recovery_codes_left: int


class Factors(Success):
    """The second factors of the account: its authenticator app, if any, and how many recovery codes are unused."""

    data: FactorsData


class NewTotpData(Answer):
    key: str
    uri: str
    qr: str


class NewTotp(Success):
    """What an authenticator app needs, shown once: the `key` to type in, the same as an `otpauth://` URI, and that URI
    as a QR code in SVG.
    """

    data: NewTotpData


class RecoveryCodesData(Answer):
    recovery_codes: list[str]


class RecoveryCodes(Success):
    """Ten new recovery codes, shown once. The earlier ones are void."""

    data: RecoveryCodesData


class FactorAddedData(RecoveryCodesData):
    other_sessions: int


class FactorAdded(Success):
    """The factor counts from now on. `recovery_codes` has ten codes, shown once, if it is the first factor; else it is
    empty. `other_sessions` is how many other devices are still signed in.
    """

    data: FactorAddedData


class ShownPasskey(Answer):
    """A passkey of the account. `synced`: it may be on several devices of its owner."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    name: str
    synced: bool
    created_at: str = Field(alias="createdAt", json_schema_extra={"format": "date-time"})
    last_used_at: str | None = Field(alias="lastUsedAt", json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, passkey: Passkey) -> "ShownPasskey":
        last_used_at = _timestamp(passkey.last_used_at) if passkey.last_used_at else None
        created_at = _timestamp(passkey.created_at)
        shown = {"id": passkey.id, "name": passkey.name, "synced": passkey.backup_eligible}
        return cls(**shown, createdAt=created_at, lastUsedAt=last_used_at)


class PasskeysData(Answer):
    passkeys: list[ShownPasskey]


class Passkeys(Success):
    """The passkeys of the account, the oldest first."""

    data: PasskeysData


class PasskeyAddedData(FactorAddedData):
    passkey: ShownPasskey


class PasskeyAdded(Success):
    """The passkey signs in from now on. The other members are those of `FactorAdded`."""

    data: PasskeyAddedData


class PasskeyRemovedData(Answer):
    rp_id: str = Field(alias="rpId")
    credential_id: str = Field(alias="credentialId")


class PasskeyRemoved(Success):
    """The passkey that signs in no longer. `data` is for `PublicKeyCredential.signalUnknownCredential`, which tells the
    password manager (WebAuthn, section 5.1.10).
    """

    data: PasskeyRemovedData


class Refused(Answer):
    """The request was refused. `code` is for programs, `message` for people. `factors` is there with
    `second_factor_required` alone: by which of them a second step can be taken.
    """

    status: Literal["fail"]
    code: str
    message: str
    factors: list[FactorKind] = Field(default=[])


class ReauthenticationNeeded(Refused):
    """The sign-in is too long ago. A step-up by one of `satisfied_by`, at most `max_age` seconds ago, allows the same
    request.
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


class JwkSet(Answer):
    """Public keys (RFC 7517, section 5)."""

    keys: list[dict[str, Any]]


class Introspection(BaseModel):
    """Whether a token is valid now, and for whom (RFC 7662, section 2.2). An invalid one has only `active: false`."""

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
    auth_time: int | None = None
    amr: list[str] | None = None
    acr: str | None = None
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
            auth_time=token.authenticated_at,
            amr=list(token.methods),
            acr=token.level.acr,
            token_type="Bearer",  # noqa: S106  # a kind, not a secret
        )


def as_json(answer: Answer, status: int = 200) -> Json:
    """Return the response with this body."""
    return Json(answer.model_dump(mode="json", by_alias=True), status)


def _timestamp(value: datetime) -> str:
    """Return a time as JavaScript writes it: in UTC, with milliseconds and Z."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
