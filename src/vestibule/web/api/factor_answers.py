"""The response bodies of passkeys and second factors."""

from typing import Any

from pydantic import Field

from vestibule.model.factor_resets import AskedBy, FactorReset
from vestibule.model.passkeys import Passkey
from vestibule.model.totp import Totp
from vestibule.web.api.answers import Answer, SignedIn, Success, timestamp


class Enrolled(SignedIn):
    """The sign-in is complete, because a second factor was set up. `recovery_codes` has ten codes, shown once."""

    recovery_codes: list[str]


class PasskeyOptionsData(Answer):
    public_key: dict[str, Any] = Field(alias="publicKey")


class PasskeyOptions(Success):
    """What to ask the browser for: `publicKey` is for `PublicKeyCredential.parseRequestOptionsFromJSON` or
    `parseCreationOptionsFromJSON` (WebAuthn, section 5.1).
    """

    data: PasskeyOptionsData


class ShownTotp(Answer):
    """The authenticator app of an account."""

    created_at: str = Field(alias="createdAt", json_schema_extra={"format": "date-time"})
    last_used_at: str | None = Field(alias="lastUsedAt", json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, totp: Totp) -> "ShownTotp":
        last_used_at = timestamp(totp.last_used_at) if totp.last_used_at else None
        return cls(createdAt=timestamp(totp.created_at), lastUsedAt=last_used_at)


class ShownReset(Answer):
    """A reset of second factors: all are removed soon after `dueAt`, unless it is canceled before."""

    asked_at: str = Field(alias="askedAt", json_schema_extra={"format": "date-time"})
    due_at: str = Field(alias="dueAt", json_schema_extra={"format": "date-time"})
    asked_by: AskedBy

    @classmethod
    def of(cls, reset: FactorReset) -> "ShownReset":
        return cls(askedAt=timestamp(reset.asked_at), dueAt=timestamp(reset.due_at), asked_by=reset.asked_by)


class FactorsData(Answer):
    totp: ShownTotp | None
    recovery_codes_left: int
    reset: ShownReset | None


class Factors(Success):
    """The second factors of the account: its authenticator app, if any, how many recovery codes are unused, and the
    reset that is under way, if any.
    """

    data: FactorsData


class NewTotpData(Answer):
    key: str
    uri: str
    qr: str


class NewTotp(Success):
    """What an authenticator app needs, shown once: the `key` to type in, the same key in an `otpauth://` URI, and that
    URI as a QR code in SVG.
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
    """The factor is asked for from now on. `recovery_codes` has ten codes, shown once, if this is the account's first
    factor; otherwise it is empty. `other_sessions` is how many other devices are still signed in.
    """

    data: FactorAddedData


class ShownPasskey(Answer):
    """A passkey of the account. `synced`: the passkey may be on several devices of its owner."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    name: str
    synced: bool
    created_at: str = Field(alias="createdAt", json_schema_extra={"format": "date-time"})
    last_used_at: str | None = Field(alias="lastUsedAt", json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, passkey: Passkey) -> "ShownPasskey":
        last_used_at = timestamp(passkey.last_used_at) if passkey.last_used_at else None
        created_at = timestamp(passkey.created_at)
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
    """The passkey was removed. `data` is for `PublicKeyCredential.signalUnknownCredential`, which tells the
    password manager (WebAuthn, section 5.1.10).
    """

    data: PasskeyRemovedData
