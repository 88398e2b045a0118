"""The types of the members of request bodies, each with the contract's error messages."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from vestibule.model.accounts import MAX_EMAIL_BYTES, MAX_NAME_CHARACTERS, NotAnEmail, Role, canonical_email
from vestibule.model.passkeys import MAX_PASSKEY_NAME_CHARACTERS
from vestibule.model.passwords import PasswordRules
from vestibule.protocol.one_line import is_one_line
from vestibule.web.body import type_name

LOGIN_MIN_LENGTH = 8
"""How many characters a password of the contract has at least, at a sign-in too. Imported ones may have fewer."""
_MAX_CODE_CHARACTERS = 64
_ROLES = [Role.ADMIN.value, Role.USER.value]  # the two that the contract knows


def contract_error(message: str, **members: Any) -> PydanticCustomError:
    """Return a validation error in zod's format, with these members and this message. `web.body` adds the path."""
    return PydanticCustomError("contract", "{message}", {"message": message, "entry": {**members, "message": message}})


def _length_error(code: str, bound: str, value: int, message: str) -> PydanticCustomError:
    return contract_error(message, code=code, **{bound: value}, type="string", inclusive=True, exact=False)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise contract_error("A NUL character is not allowed", code="custom")
    return text


def at_most(characters: int) -> AfterValidator:
    """Return the check that a text has at most this number of characters."""

    def check(text: str) -> str:
        if len(text) > characters:
            message = f"String must contain at most {characters} character(s)"
            raise _length_error("too_big", "maximum", characters, message)
        return text

    return AfterValidator(check)


def required(message: str) -> Callable[[str], str]:
    """Return the check that a text is not empty. The check raises an error with this message."""

    def check(text: str) -> str:
        if not text:
            raise _length_error("too_small", "minimum", 1, message)
        return text

    return check


def one_line(text: str) -> str:
    """Return the text; raises an error for one that is not one line (`is_one_line`)."""
    if not is_one_line(text):
        raise contract_error("Control characters are not allowed", code="custom")
    return text


def _email(message: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            return canonical_email(text)
        except NotAnEmail:
            raise contract_error(message, validation="email", code="invalid_string") from None

    return check


def _fits_rules(password: str, info: ValidationInfo) -> str:
    rules: PasswordRules = info.context.passwords  # type: ignore[union-attr]  # `validate` always gives the policy
    if len(password) < rules.min_length:
        message = f"Password must be more than {rules.min_length} characters"
        raise _length_error("too_small", "minimum", rules.min_length, message)
    if len(password) > rules.max_length:
        message = f"Password must be less than {rules.max_length} characters"
        raise _length_error("too_big", "maximum", rules.max_length, message)
    if len(password.encode()) > rules.max_bytes:
        raise contract_error(f"Password must be at most {rules.max_bytes} bytes long", code="custom")
    return password


def too_short(path: Sequence[str], message: str) -> dict[str, Any]:
    """Return the contract's error for a password of too few characters, in zod's format."""
    bound = {"code": "too_small", "minimum": LOGIN_MIN_LENGTH}
    return {**bound, "type": "string", "inclusive": True, "exact": False, "message": message, "path": list(path)}


def one_of(known: Sequence[str]) -> Callable[[Any], Any]:
    """Return the check that a value is one of the known texts. The check raises the error of a zod enum."""
    options = " | ".join(f"'{each}'" for each in known)

    def check(value: Any) -> Any:
        kind = type_name(value)
        if kind not in {"string", "number"}:  # zod accepts numbers here too: its native enums may have them
            message = f"Expected {options}, received {kind}"
            raise contract_error(message, code="invalid_type", expected=options, received=kind)
        if value not in known:
            message = f"Invalid enum value. Expected {options}, received '{_as_in_javascript(value)}'"
            raise contract_error(message, received=value, code="invalid_enum_value", options=known)
        return value

    return check


def _as_in_javascript(value: str | float) -> str:
    """Return a string unchanged, and a number as JavaScript writes it: 1.0 becomes 1."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _typed(expected: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        received = type_name(value)
        if received != expected:
            message = f"Expected {expected}, received {received}"
            raise contract_error(message, code="invalid_type", expected=expected, received=received)
        return value

    return BeforeValidator(check)


def _texts(value: Any) -> list[str]:
    """Return the list; raises an error for an element that is no text. The error is about the list as a whole, and does
    not say which element.
    """
    for each in value:
        if (received := type_name(each)) != "string":
            message = f"Expected string, received {received}"
            raise contract_error(message, code="invalid_type", expected="string", received=received)
    return list(value)


Credential = Annotated[dict[str, Any], _typed("object")]
Flag = Annotated[bool, _typed("boolean")]
Text = Annotated[str, AfterValidator(_without_nul)]
Texts = Annotated[list[str], BeforeValidator(_texts), _typed("array")]
Name = Annotated[Text, at_most(MAX_NAME_CHARACTERS), Field(json_schema_extra={"maxLength": MAX_NAME_CHARACTERS})]
_OF_PASSKEY = Field(json_schema_extra={"maxLength": MAX_PASSKEY_NAME_CHARACTERS})
PasskeyName = Annotated[Text, AfterValidator(str.strip), at_most(MAX_PASSKEY_NAME_CHARACTERS), _OF_PASSKEY]
_AS_EMAIL = Field(json_schema_extra={"format": "email", "maxLength": MAX_EMAIL_BYTES})
Email = Annotated[Text, AfterValidator(_email("Invalid email address")), _AS_EMAIL]
ForgottenEmail = Annotated[Text, AfterValidator(_email("Email is invalid")), _AS_EMAIL]
NewPassword = Annotated[Text, AfterValidator(_fits_rules), Field(json_schema_extra={"format": "password"})]
Password = Annotated[Text, Field(json_schema_extra={"format": "password"})]
Code = Annotated[Text, at_most(_MAX_CODE_CHARACTERS), Field(json_schema_extra={"maxLength": _MAX_CODE_CHARACTERS})]
# Validated as in the contract, then ignored, because nobody can register as an admin.
IgnoredRole = Annotated[
    Any, BeforeValidator(one_of(_ROLES)), Field(json_schema_extra={"type": "string", "enum": _ROLES})
]
