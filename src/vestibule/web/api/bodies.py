"""The request bodies of the API."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, model_validator

from vestibule.model.accounts import Role
from vestibule.model.errors import Refusal, WrongCredentials
from vestibule.web.api.body_fields import (
    LOGIN_MIN_LENGTH,
    Code,
    Credential,
    Email,
    Flag,
    ForgottenEmail,
    IgnoredRole,
    Name,
    NewPassword,
    PasskeyName,
    Password,
    Text,
    contract_error,
    required,
    too_short,
)
from vestibule.web.body import ConfirmedBody, ContractBody, ZodError
from vestibule.web.request_errors import BodyInvalid


class Register(ConfirmedBody):
    """A new account."""

    REQUIRED: ClassVar = {
        "name": "Name is required",
        "email": "Email address is required",
        "password": "Password is required",
        "passwordConfirm": "Please confirm your password",
    }
    name: Name
    email: Email
    password: NewPassword
    password_confirm: str = Field(alias="passwordConfirm", json_schema_extra={"format": "password"})
    role: IgnoredRole = Role.USER.value


class ChangePassword(ConfirmedBody):
    """The current password, and a new one twice."""

    REQUIRED: ClassVar = {
        "currentPassword": "Current password is required",
        "password": "Password is required",
        "passwordConfirm": "Please confirm your password",
    }
    current_password: Text = Field(alias="currentPassword", json_schema_extra={"format": "password"})
    password: NewPassword
    password_confirm: str = Field(alias="passwordConfirm", json_schema_extra={"format": "password"})


_SHORT = too_short(("body", "password"), "Invalid email or password")


class Login(ContractBody):
    """An email and its password. The contract refuses a short password as an error of the body. An account that was
    imported may have one, so it is tried; if it is wrong, `refused` is the contract's answer.
    """

    REQUIRED: ClassVar = {"email": "Email address is required", "password": "Password is required"}
    email: Email
    password: Password

    @classmethod
    def further_errors(cls, value: dict[str, Any], errors: list[ZodError]) -> list[ZodError]:
        """Return the error for a short password beside another error, or for an empty one."""
        of_password = any(error["path"][-1] == "password" for error in errors)
        if of_password or len(value["password"]) >= LOGIN_MIN_LENGTH or (value["password"] and not errors):
            return []
        return [_SHORT]

    def refused(self) -> Refusal:
        """Return the refusal of a wrong email or password."""
        return BodyInvalid([_SHORT]) if len(self.password) < LOGIN_MIN_LENGTH else WrongCredentials()


class StepUp(ContractBody):
    """One of these: the current password, a code of the authenticator app or a recovery code, or what
    `navigator.credentials.get()` has given.
    """

    REQUIRED: ClassVar = {}
    password: Text = Field(default="", json_schema_extra={"format": "password"})
    code: Code = ""
    credential: Credential = Field(default={})

    @model_validator(mode="after")
    def _one_of_them(self) -> "StepUp":
        if [bool(self.password), bool(self.code), bool(self.credential)].count(True) != 1:
            raise contract_error("Send one of these: the password, a code or a credential", code="custom")
        return self


class UsePasskey(ContractBody):
    """What `navigator.credentials.get()` has given, as `toJSON()` writes it (WebAuthn, section 5.1.9)."""

    REQUIRED: ClassVar = {"credential": "Credential is required"}
    credential: Credential


class SecondFactor(ContractBody):
    """A code of the app, a recovery code, or what `navigator.credentials.get()` has given: one of them."""

    REQUIRED: ClassVar = {}
    code: Code = ""
    credential: Credential = Field(default={})

    @model_validator(mode="after")
    def _one_of_them(self) -> "SecondFactor":
        if not self.code and not self.credential:
            raise contract_error("Code is required", code="custom")
        if self.code and self.credential:
            raise contract_error("Send either a code or a credential", code="custom")
        return self


class AskForEmailCode(ContractBody):
    """The email to mail a code to."""

    REQUIRED: ClassVar = {"email": "Email address is required"}
    email: Email


class TypedCode(ContractBody):
    """A code alone: one that was mailed; or, on a page, one of the app, or a recovery code."""

    REQUIRED: ClassVar = {"code": "Code is required"}
    code: Code


class ForgotPassword(ContractBody):
    """The email to mail a link to."""

    REQUIRED: ClassVar = {"email": "Email is required"}
    email: ForgottenEmail


class Resend(ForgotPassword):
    """The email that is still to be verified."""


class ChangeName(ContractBody):
    """The new name."""

    REQUIRED: ClassVar = {"name": "Name is required"}
    name: Name


class ChangeEmail(ContractBody):
    """The new email, and the current password."""

    REQUIRED: ClassVar = {"email": "Email address is required", "currentPassword": "Current password is required"}
    email: Email
    current_password: Text = Field(alias="currentPassword", json_schema_extra={"format": "password"})


class DeleteAccount(ContractBody):
    """The current password."""

    REQUIRED: ClassVar = {"currentPassword": "Current password is required"}
    current_password: Text = Field(alias="currentPassword", json_schema_extra={"format": "password"})


class EnrolTotp(ContractBody):
    """A code of the new authenticator app."""

    REQUIRED: ClassVar = {"code": "Code is required"}
    code: Code


class ConfirmTotp(EnrolTotp):
    """A code of the new authenticator app. `end_others`: sign every other device out too."""

    end_others: Flag = False


class ChangeFactors(ContractBody):
    """What comes with the removal of a factor, or with new recovery codes. Devices that signed in with a removed factor
    are signed out; `end_others`: every other device too.
    """

    end_others: Flag = False


class EnrolPasskey(ContractBody):
    """What `navigator.credentials.create()` has given, as `toJSON()` writes it (WebAuthn, section 5.1.8), and what to
    call it.
    """

    REQUIRED: ClassVar = {"credential": "Credential is required"}
    credential: Credential
    name: PasskeyName = ""


class AddPasskey(EnrolPasskey):
    """What `navigator.credentials.create()` has given, as `toJSON()` writes it (WebAuthn, section 5.1.8), and what to
    call it. `end_others`: sign every other device out too.
    """

    end_others: Flag = False


class RenamePasskey(ContractBody):
    """The new name."""

    REQUIRED: ClassVar = {"name": "Name is required"}
    name: Annotated[PasskeyName, AfterValidator(required("Name is required"))]


class ResetPassword(ConfirmedBody):
    """A new password, twice."""

    REQUIRED: ClassVar = {
        "password": "Password is required",
        "passwordConfirm": "Please confirm your password",
    }
    password: NewPassword
    password_confirm: str = Field(alias="passwordConfirm", json_schema_extra={"format": "password"})
