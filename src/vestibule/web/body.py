"""Read request bodies up to a limit, parse them as strict JSON, and validate them with a pydantic model.

The contract's front-ends expect the errors of zod 3, so each validation error is reported in zod's format.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar, get_type_hints

from fastapi import Depends
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import ClientDisconnect, Request

from vestibule.crypto import i_json
from vestibule.model.policy import Policy
from vestibule.web.request_context import BodyMissing, context_of
from vestibule.web.request_errors import BodyInvalid, BodyMalformed, BodyTooLarge, UnsupportedMedia
from vestibule.web.site import site_of

MAX_BODY_BYTES = 10_240
MAX_BODY_SECONDS = 10

ZodError = dict[str, Any]
"""One validation error, in zod's format."""

# The codes of errors after which zod does not compare the two passwords.
_ABORTING = {"invalid_type", "invalid_enum_value"}


class ContractBody(BaseModel):
    """A JSON body of the contract. `REQUIRED` has the error message for each member that may be missing."""

    REQUIRED: ClassVar[dict[str, str]]

    @classmethod
    def further_errors(cls, _value: dict[str, Any], _errors: list[ZodError]) -> list[ZodError]:
        """Return what is wrong with the body as a whole, beside the errors of its members."""
        return []


class ConfirmedBody(ContractBody):
    """A body in which a new password is typed twice, as `password` and `passwordConfirm`."""

    @classmethod
    def further_errors(cls, value: dict[str, Any], errors: list[ZodError]) -> list[ZodError]:
        """Return the error that the two differ. As zod does, do not compare them after some errors of members."""
        if any(error["code"] in _ABORTING for error in errors) or value["password"] == value["passwordConfirm"]:
            return []
        return [{"code": "custom", "path": ["body", "passwordConfirm"], "message": "Passwords do not match"}]


Body = TypeVar("Body", bound=ContractBody)


def body_reader(model: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """Return a dependency that reads the body as a `model`. The dependency raises `UnsupportedMedia`, `BodyMalformed`,
    `BodyTooLarge` and `BodyInvalid`.
    """

    async def read(request: Request) -> Body:
        return validate(model, await read_json(request), site_of(request).policy)

    return read


if TYPE_CHECKING:  # to a type checker, `Sent[bodies.Login]` is `bodies.Login`
    Sent = Annotated[Body, "read from the request"]
else:

    class Sent:
        """The type of a handler's parameter for the body: `sent: Sent[bodies.Login]` reads a `Login`."""

        def __class_getitem__(cls, model: type[ContractBody]) -> Any:
            return Annotated[model, Depends(body_reader(model))]


def body_of(handler: Callable[..., Any]) -> type[ContractBody] | None:
    """Return the type of body that a handler's signature names; None if it names none."""
    return next((kind for kind in get_type_hints(handler).values() if _is_body(kind)), None)


def _is_body(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, ContractBody)


async def read_json(request: Request) -> Any:
    """Return the JSON value, an object or an array. Return `{}` if the body is missing or empty, or its type is not
    JSON.

    Raises `UnsupportedMedia` for a content encoding or a charset other than UTF-8. Raises `BodyMalformed` for text that
    is not I-JSON (RFC 7493), for any other value, and for a body that is not complete in time. Raises `BodyTooLarge`.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia
    body, content_type = await read_bounded_body(request), request.headers.get("content-type", "")
    is_json = _is_json(content_type)  # also for an empty body: a wrong charset is refused in any case
    if not body.strip():
        return {}
    if not is_json:
        site_of(request).hints.check_body_type(content_type)
        return {}
    try:
        value = i_json.parse(body)
    except i_json.NotIJson as fault:
        raise BodyMalformed(str(fault)) from None
    if not isinstance(value, dict | list):
        raise BodyMalformed("it is neither an object nor an array")
    return value


def validate(model: type[Body], value: Any, policy: Policy) -> Body:
    """Return `value` as a `model`; raises `BodyInvalid` with every error at once, in the order of the fields."""
    if not isinstance(value, dict):
        raise BodyInvalid([_wrong_type([], "object", value)])
    entries: list[ZodError] = []
    try:
        parsed = model.model_validate(value, context=policy)
    except ValidationError as invalid:
        entries = [_entry(model, error) for error in invalid.errors(include_url=False)]
    entries += model.further_errors(value, entries)
    if entries:
        raise BodyInvalid(entries)
    return parsed


async def wait_for_body(request: Request) -> None:
    """Read the whole body, or note why it cannot be read. After this, `read_bounded_body` does not wait."""
    if context_of(request).body is None:
        context_of(request).body = await _read_all(request)


async def read_bounded_body(request: Request) -> bytes:
    """Return the body's bytes. Raises `BodyTooLarge` above `MAX_BODY_BYTES`, and `BodyMalformed` if the body is not
    complete within `MAX_BODY_SECONDS`.
    """
    body = context_of(request).body
    if body is None:
        body = await _read_all(request)
    if isinstance(body, bytes):
        return body
    raise BodyTooLarge if body is BodyMissing.TOO_LARGE else BodyMalformed("it ends too early, or comes too slowly")


async def _read_all(request: Request) -> bytes | BodyMissing:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BODY_BYTES:  # cut, so that no client has a long number read
        return BodyMissing.TOO_LARGE
    body = bytearray()
    try:
        async with asyncio.timeout(MAX_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    return BodyMissing.TOO_LARGE
    except (ClientDisconnect, TimeoutError):
        return BodyMissing.INCOMPLETE
    return bytes(body)


def _is_json(content_type: str) -> bool:
    """Return whether the content type is JSON; raises `UnsupportedMedia` for a charset other than UTF-8."""
    media, *parameters = (part.strip() for part in content_type.lower().split(";"))
    if media != "application/json":
        return False
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.startswith("charset") and value.strip('"') not in {"utf-8", "utf8"}:
            raise UnsupportedMedia
    return True


def _entry(model: type[ContractBody], error: ErrorDetails) -> ZodError:
    path = [str(step) for step in error["loc"]]
    if error["type"] == "missing":
        missing = {"received": "undefined", "message": model.REQUIRED[path[0]]}
        return {**_wrong_type(path, "string", None), **missing}
    if error["type"] == "string_type":
        return _wrong_type(path, "string", error["input"])
    entry: ZodError = error["ctx"]["entry"]  # every other error is a `contract_error` of `web.api.body_fields`
    return {**entry, "path": ["body", *path]}


def _wrong_type(path: list[str], expected: str, received: Any) -> ZodError:
    kind = type_name(received)
    message = f"Expected {expected}, received {kind}"
    return {
        "code": "invalid_type",
        "expected": expected,
        "received": kind,
        "path": ["body", *path],
        "message": message,
    }


def type_name(value: Any) -> str:
    """Return the name of a JSON value's type, as zod writes it."""
    if value is None:
        return "null"
    names = {bool: "boolean", dict: "object", list: "array", str: "string"}
    return names.get(type(value), "number")
