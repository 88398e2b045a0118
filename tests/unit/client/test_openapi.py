"""What an application's OpenAPI document says of Vestibule: how a caller is known, and every refusal."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from litestar import Litestar, get, post
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from tests.unit.client.asking import AUTH
from vestibule.client import Caller, Verifier, caller_errors
from vestibule.client.documented import DESCRIPTIONS
from vestibule.client.fastapi import REFUSALS, CurrentUser, install
from vestibule.client.litestar import VestibulePlugin, middleware, with_role
from vestibule.protocol.authentication import Level

STATUSES = {str(status) for status in DESCRIPTIONS}


def test_every_refusal_of_a_check_is_described() -> None:
    refusals = [kind for kind in vars(caller_errors).values() if hasattr(kind, "wording")]
    assert {kind.wording.status for kind in refusals} == set(DESCRIPTIONS) == set(REFUSALS)
    assert {"401", "403", "503"} < STATUSES


def in_fastapi(app: FastAPI, current_user: CurrentUser) -> dict[str, Any]:
    @app.get("/admin", responses={403: {"description": "my own words"}})
    async def admin(caller: Annotated[Caller, Depends(current_user.with_role("admin"))]) -> str:
        return caller.id

    @app.get("/open")
    async def unguarded() -> str:
        return ""

    @app.websocket("/ws")
    async def ws(socket: WebSocket, caller: Annotated[Caller, Depends(current_user)]) -> None:
        await socket.accept()

    router = APIRouter(prefix="/sub", dependencies=[Depends(current_user)])

    @router.post("/orders")
    async def order(number: int) -> str:
        return str(number)

    app.include_router(router)
    return app.openapi()


def test_fastapi_lists_refusals_where_a_caller_is_required() -> None:
    app = FastAPI()
    install(app)
    document = in_fastapi(app, CurrentUser(Verifier(**AUTH)))
    operations = {path: operation for path, methods in document["paths"].items() for operation in methods.values()}
    assert operations["/admin"]["responses"].keys() == {"200", *STATUSES}
    assert operations["/admin"]["responses"]["403"]["description"] == "my own words"
    assert operations["/sub/orders"]["responses"].keys() == {"200", "422", *STATUSES}
    assert operations["/open"]["responses"].keys() == {"200"}
    told = operations["/admin"]["responses"]["401"]["content"]["application/json"]["schema"]
    refusal = caller_errors.InsufficientAuthenticationError(Level.TWO_FACTORS, 300)
    lacking = caller_errors.PermissionMissingError("invoices:write")
    assert told["properties"].keys() == refusal.body.keys() | lacking.body.keys()
    assert app.openapi() == document


def test_fastapi_takes_the_refusals_at_a_router_too() -> None:
    app = FastAPI()
    router = APIRouter(dependencies=[Depends(CurrentUser(Verifier(**AUTH)))], responses=REFUSALS)

    @router.get("/orders")
    async def orders() -> str:
        return ""

    app.include_router(router)
    assert app.openapi()["paths"]["/orders"]["get"]["responses"].keys() == {"200", *STATUSES}


@get("/admin", guards=[with_role("admin")])
async def admin() -> str:
    return ""


@get("/health", exclude_from_auth=True)
async def health() -> str:
    return ""


@post("/open/hook")
async def hook() -> str:
    return ""


def document_of(app: Litestar) -> dict[str, Any]:
    document = app.openapi_schema.to_schema()
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("own", [True, False], ids=["with components of its own", "bare"])
def test_litestar_lists_scheme_and_refusals_where_a_caller_is_required(own: bool) -> None:
    other = Components(security_schemes={"Other": SecurityScheme(type="http", scheme="basic")})
    config = OpenAPIConfig("Orders", "1", **({"components": other} if own else {}))
    plugin = VestibulePlugin(Verifier(**AUTH), exclude=["^/open/"])
    document = document_of(Litestar([admin, health, hook], plugins=[plugin], openapi_config=config))
    schemes = document["components"]["securitySchemes"]
    assert schemes["Vestibule"]["scheme"] == "bearer"
    assert ("Other" in schemes) is own
    guarded, *unguarded = (
        document["paths"]["/admin"]["get"],
        document["paths"]["/health"]["get"],
        document["paths"]["/open/hook"]["post"],
    )
    assert guarded["security"] == [{"Vestibule": []}]
    assert guarded["responses"].keys() == {"200", *STATUSES}
    for operation in unguarded:
        assert "security" not in operation
        assert not STATUSES - {"400"} & operation["responses"].keys()


def test_two_applications_with_the_same_handlers_have_their_own_documents() -> None:
    with_plugin = Litestar([admin], plugins=[VestibulePlugin(Verifier(**AUTH))])
    without = Litestar([admin], middleware=[middleware(Verifier(**AUTH))])
    assert "security" in document_of(with_plugin)["paths"]["/admin"]["get"]
    assert "security" not in document_of(without)["paths"]["/admin"]["get"]
