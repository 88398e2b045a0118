"""Make the OpenAPI document from the URL map, so that both always agree. `application` calls these functions."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from vestibule.model.errors import Overloaded, ReauthenticationRequired, Refusal, StoreUnavailable, TooManyRequests
from vestibule.model.policy import Policy
from vestibule.web import cookies
from vestibule.web.api import answers
from vestibule.web.asking_service import service
from vestibule.web.body import ConfirmedBody
from vestibule.web.caller import signed_in
from vestibule.web.errors import HTTP_MAPPINGS, Json
from vestibule.web.map_lines import Route
from vestibule.web.request_errors import AmbiguousCredential, BodyInvalid, BodyMalformed, BodyTooLarge, UnsupportedMedia
from vestibule.web.signing_out import signing_out

_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": cookies.ACCESS},
    "service": {"type": "http", "scheme": "bearer", "description": "A service key"},
}
# The beginning of a path, and the heading under which the documentation shows it; the first that fits counts.
_TAGS = (
    ("/api/auth/", "Signing up, in and out"),
    ("/api/users/", "My account"),
    ("/api/admin/", "For operators"),
    ("/", "The server"),
)
_DOCUMENT_PATH = "/openapi.json"
_BODY_REFUSALS = (BodyInvalid, BodyMalformed, BodyTooLarge, UnsupportedMedia)


def success_of(route: Route) -> dict[int | str, dict[str, Any]]:
    """Return the status and the body type of a success."""
    if route.media_type:
        return {route.status: {"content": {route.media_type: {}}}}
    return {route.status: {"model": route.answer} if route.answer else {}}


def response_class_of(route: Route) -> type[Response]:
    """Return the class that tells FastAPI whether a success is JSON."""
    return Response if route.media_type else JSONResponse


def responses_of(route: Route) -> dict[int | str, dict[str, Any]]:
    """Return every status that the route may refuse with, and the codes for each."""
    by_status: dict[int, list[type[Any]]] = {}
    for refusal in _refusals_of(route):
        by_status.setdefault(HTTP_MAPPINGS[refusal].status, []).append(refusal)
    declared: dict[int | str, dict[str, Any]] = {}
    for status, refusals in sorted(by_status.items()):
        names = ", ".join(sorted({f"`{refusal.code}`" for refusal in refusals}))
        declared[status] = {"model": _answer_of(status, refusals), "description": names}
    return declared


def request_body_of(route: Route, policy: Policy) -> dict[str, Any]:
    """Return the body's schema, with this installation's lengths for a new password."""
    if route.form_fields:
        fields = {"type": "object", "properties": {name: {"type": "string"} for name in route.form_fields}}
        return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": fields}}}}
    if route.body is None:
        return {}
    schema = route.body.model_json_schema()
    if issubclass(route.body, ConfirmedBody):  # the `password` of a reset is a new one
        lengths = {"minLength": policy.passwords.min_length, "maxLength": policy.passwords.max_length}
        schema["properties"]["password"] |= lengths
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def security_of(route: Route) -> dict[str, Any]:
    """Return the credentials that the route's guards accept."""
    if service in route.guards:
        return {"security": [{"service": []}]}
    return {"security": [{"bearer": []}, {"cookie": []}]} if {signed_in, signing_out} & {*route.guards} else {}


def tag_of(route: Route) -> str:
    """Return the heading under which the documentation shows the route."""
    return next(tag for start, tag in _TAGS if route.path.startswith(start))


def describe(app: FastAPI) -> None:
    """Add the security schemes to the document, and remove FastAPI's answer 422, which Vestibule never gives."""
    original = app.openapi  # makes the document at its first call, and keeps it in `app.openapi_schema`

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = original()
            for operations in document["paths"].values():
                for operation in operations.values():
                    operation["responses"].pop("422", None)
            document.setdefault("components", {})["securitySchemes"] = _SECURITY_SCHEMES
            for unused in ("HTTPValidationError", "ValidationError"):
                document.get("components", {}).get("schemas", {}).pop(unused, None)
        return app.openapi_schema or original()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def publish(app: FastAPI) -> None:
    """Serve the document at `/openapi.json`, where `/docs` looks for it."""

    async def document(_request: Request) -> Response:
        return Json(app.openapi())

    app.openapi_url = _DOCUMENT_PATH
    app.add_route(_DOCUMENT_PATH, document, include_in_schema=False)


def _refusals_of(route: Route) -> tuple[type[Any], ...]:
    refusals: tuple[type[Refusal | Any], ...] = route.refusals
    if any(issubclass(kind, Refusal) for kind in route.refusals):  # a route without refusals uses no database
        refusals += (Overloaded, StoreUnavailable)
    if route.limit:
        refusals += (TooManyRequests,)
    if route.body is not None:
        refusals += _BODY_REFUSALS
    if any(HTTP_MAPPINGS[refusal].challenge for refusal in route.refusals):
        refusals += (AmbiguousCredential,)
    return refusals


def _answer_of(status: int, refusals: list[type[Any]]) -> Any:
    """Return the type of the body, or a union of types."""
    if status >= 500:
        return answers.Faulted
    if ReauthenticationRequired in refusals:
        return answers.ReauthenticationNeeded | answers.Refused
    return answers.Invalid if status == 400 else answers.Refused
