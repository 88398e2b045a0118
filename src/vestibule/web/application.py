"""Build the FastAPI application: a route for each line of the URL map, and handlers for every refusal and fault.

`app` calls `make_site` and `build_app`, and `layers.order` adds the layers around the application.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

from fastapi import Depends, FastAPI
from fastapi_swagger import patch_fastapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from vestibule import __version__
from vestibule.flows.env import Env
from vestibule.model.clock import Clock
from vestibule.model.errors import Fault, Refusal
from vestibule.model.findings import Finding
from vestibule.model.letters import Writer
from vestibule.model.policy import Policy
from vestibule.state.health_reports import HealthReports
from vestibule.web import openapi
from vestibule.web.accept import asks_for_page
from vestibule.web.admission import AdmittedRoute
from vestibule.web.client_address import ClientAddresses
from vestibule.web.errors import UNEXPECTED, Json, refusal_response
from vestibule.web.front_end_hints import FrontEndHints
from vestibule.web.layers.headers import target
from vestibule.web.map_lines import Guard, Line, Page, Route
from vestibule.web.map_reading import PAGES, ROUTES, methods_at, switched_on
from vestibule.web.operator_guard import operator, page_operator
from vestibule.web.owner_alone import guards_of
from vestibule.web.pages.route import AdmittedPageRoute, PageRoute, refusal_page, unexpected_page
from vestibule.web.pages.template_loader import Templates
from vestibule.web.rate_limits import within_rate_limit
from vestibule.web.request_errors import MethodNotAllowed, RouteUnknown
from vestibule.web.routes import DEVELOPMENT_PAGES
from vestibule.web.site import EnvHolder, Site, site_of
from vestibule.web.web_policy import WebPolicy


def make_site(
    policy: Policy,
    web: WebPolicy,
    clock: Clock,
    templates: Templates,
    writer: Writer,
    env: Env | None = None,
    examine: Callable[[], Sequence[Finding]] = tuple,
) -> Site:
    """Return what all requests to an application share. Without an `env`, the lifespan sets it later (`EnvHolder`).
    `examine` returns what the doctor finds; it may block. By default it finds nothing (`tuple` returns an empty one).
    """
    forms = {page.path: page.show_form for page in PAGES if page.show_form}
    form_pages = {page.path: page.form_page for page in PAGES if page.form_page}
    addresses = ClientAddresses(web.proxies, web.proxy_header)
    hints, holder = FrontEndHints(web, clock), EnvHolder(env)
    health = HealthReports(examine, clock)
    return Site(policy, web, clock, templates, writer, forms, form_pages, addresses, hints, holder, health)


def build_app(site: Site, lifespan: Callable[[FastAPI], Any] | None = None) -> FastAPI:
    """Return the application without its layers."""
    app = FastAPI(
        title="Vestibule",
        version=__version__,
        summary="Sign-up, sign-in, sessions and tokens.",
        lifespan=lifespan,
        docs_url=None,  # no interactive documentation from other sites; `patch_fastapi` below serves its own files
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        openapi_url=None,
        exception_handlers={Refusal: _refused, Fault: _refused, HTTPException: _unrouted, Exception: _unexpected},
        redirect_slashes=False,  # `layers.headers` drops a slash at the end
        max_body_size=None,  # `web.body` limits bodies, and refuses in the contract's format
        telemetry={"tracing": False, "metrics": False},
    )
    app.state.site = site
    for route in switched_on(ROUTES, site.policy):
        _add_route(app, route, site.policy)
    pages = PAGES + DEVELOPMENT_PAGES if site.web.interactive_docs else PAGES
    for page in switched_on(pages, site.policy):
        _add_page(app, page)
    openapi.describe(app)
    if site.web.interactive_docs:
        openapi.publish(app)
        patch_fastapi(app, redirect_from_root_to_docs=False)
    return app


def _add_route(app: FastAPI, route: Route, policy: Policy) -> None:
    name = f"{route.handler.__name__}_{route.method.lower()}"
    # A GET that changes something has its own HEAD line in the map. Every other GET also answers HEAD.
    has_head_line = any(r.method == "HEAD" and r.path == route.path for r in ROUTES)
    app.router.add_api_route(
        route.path,
        route.handler,
        methods=[route.method],
        status_code=route.status,
        dependencies=_dependencies(route),
        response_model=None,
        response_class=openapi.response_class_of(route),
        responses={**openapi.success_of(route), **openapi.responses_of(route)},
        openapi_extra={**openapi.request_body_of(route, policy), **openapi.security_of(route)},
        summary=(route.handler.__doc__ or "").partition(".")[0],
        tags=[openapi.tag_of(route)],
        operation_id=name,
        include_in_schema=route.method != "HEAD",
        route_class_override=AdmittedRoute if route.hashes else None,
    )
    if route.method == "GET" and not has_head_line:
        app.add_api_route(
            route.path, route.handler, methods=["HEAD"], dependencies=_dependencies(route), include_in_schema=False
        )


def _add_page(app: FastAPI, page: Page) -> None:
    methods = ["GET", "HEAD"] if page.method == "GET" else [page.method]
    app.router.add_api_route(
        page.path,
        page.handler,
        methods=methods,
        dependencies=_dependencies(page),
        response_model=None,
        include_in_schema=False,
        route_class_override=AdmittedPageRoute if page.hashes else PageRoute,
    )


def _dependencies(line: Line) -> list[Any]:
    """Return the dependencies of a line of the URL map, in order: rate limit, guards, the guard of operators."""
    limit = [Depends(within_rate_limit(line.limit))] if line.limit else []
    return limit + [Depends(guard) for guard in (*guards_of(line), *_operator_guards(line))]


def _operator_guards(line: Line) -> list[Guard]:
    if line.permission is None:
        return []
    return [page_operator(line.permission) if isinstance(line, Page) else operator(line.permission)]


async def _refused(_request: Request, refusal: Exception) -> Response:
    return refusal_response(cast(Refusal | Fault, refusal))


async def _unexpected(request: Request, _fault: Exception) -> Response:
    """Return an answer that reveals nothing about the exception, which `layers.headers` logs: a page if a browser asks
    for one, otherwise JSON.
    """
    if asks_for_page(request):
        # What failed may be the template around every page, and fails here again. Only the first exception is logged.
        with suppress(Exception):
            return unexpected_page(request)
    return Json(UNEXPECTED, 500)


async def _unrouted(request: Request, _fault: Exception) -> Response:
    """Answer a request that matches no route: with a page if a browser asks for one, otherwise with JSON."""
    allowed = methods_at(request.scope["path"], site_of(request).policy)
    refusal = MethodNotAllowed(request.method, allowed) if allowed else RouteUnknown(target(request.scope))
    return await refusal_page(request, refusal) if asks_for_page(request) else refusal_response(refusal)
