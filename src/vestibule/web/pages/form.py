"""Read and validate the fields of a form that a page sends."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from vestibule.crypto import i_json
from vestibule.model.factor_errors import PasskeyRefused
from vestibule.web.api import bodies
from vestibule.web.body import Body, ConfirmedBody, read_bounded_body, validate
from vestibule.web.pages import return_to
from vestibule.web.request_context import context_of
from vestibule.web.request_errors import BodyInvalid, BodyMalformed, UnsupportedMedia
from vestibule.web.site import site_of

_MEDIA = "application/x-www-form-urlencoded"
_MAX_FIELDS = 40  # a box for each of 32 roles, and a few more


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields by name, and keep them in the context, except passwords, to show them again. Raises
    `UnsupportedMedia`, `BodyTooLarge`, `BodyMalformed` or `ReturnToTooLong`.
    """
    if request.headers.get("content-type", _MEDIA).partition(";")[0].strip().lower() != _MEDIA:
        raise UnsupportedMedia
    try:
        text = (await read_bounded_body(request)).decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise BodyMalformed("the form is not one that a page of ours sends") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BodyMalformed("a field is there twice")
    return_to.require_short(fields.get("return_to", ""))
    context_of(request).form_values = {name: value for name, value in fields.items() if "password" not in name.lower()}
    return fields


def validated(request: Request, model: type[Body], fields: Mapping[str, str]) -> Body:
    """Return the fields as a `model` of `web.api.bodies`. Empty fields count as missing. Raises `BodyInvalid`.

    Our forms ask for a new password once, and can show it. The contract asks for it twice, so the password
    counts as its own confirmation.
    """
    if issubclass(model, ConfirmedBody) and "password" in fields:
        fields = {"passwordConfirm": fields["password"], **fields}
    return validate(model, {name: value for name, value in fields.items() if value.strip()}, site_of(request).policy)


def checked(fields: Mapping[str, str], group: str) -> list[str]:
    """Return the names of the checked boxes of a group. The box NAME of the group `roles` is the field `roles.NAME`."""
    names = (name.partition(".") for name in fields)
    return [box for of, _, box in names if of == group and box]


def form_values(request: Request) -> dict[str, str]:
    """Return the fields that the request's form sent, except passwords; empty if `read_form` has not read one."""
    return context_of(request).form_values or {}


def typed_code(fields: Mapping[str, str]) -> str:
    """Return the field `code` without the spaces that apps show, or people type, within a code."""
    return "".join(fields.get("code", "").split())


def sent_credential(request: Request, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the field `credential`: what the browser has given the script, as JSON. Raises `PasskeyRefused`."""
    try:
        value = i_json.parse(fields.get("credential", "").encode())
        return validate(bodies.UsePasskey, {"credential": value}, site_of(request).policy).credential
    except (i_json.NotIJson, BodyInvalid):
        raise PasskeyRefused from None
