"""Litestar: a plugin that makes `request.user` the caller.

    app = Litestar(handlers, plugins=[VestibulePlugin(Verifier("https://auth.example.com", service_key="vsk_…"))])

    @get("/orders")
    async def orders(request: Request[Caller, str, Any]) -> dict[str, str]: return {"mine": request.user.id}

`guards=[with_role("admin")]` on a handler also requires a role, `require_permission("invoices:write")` a permission,
`require_level(2)` a second factor, and `require_recent(300)` a sign-in of the last five minutes.
`middleware(verifier)`, in the place of the plugin, guards one router or handler, and adds nothing to the OpenAPI
document.
"""

import re
from copy import copy
from typing import Any, cast

from litestar import Request, Response
from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, ImproperlyConfiguredException, WebSocketException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins import InitPlugin, ReceiveRoutePlugin
from litestar.routes import ASGIRoute, BaseRoute, HTTPRoute, WebSocketRoute
from litestar.types import ASGIApp, ExceptionHandlersMap, Guard, Message, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState

from vestibule.client import arguments, litestar_options, requirements
from vestibule.client.asgi import POLICY_VIOLATION, refuse, send_with_vary
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CallerRefusedError, NoTokenError
from vestibule.client.credentials import WEBSOCKET, may_lack_token, token_in
from vestibule.client.documented import DESCRIPTIONS, SCHEME, SCHEME_DESCRIPTION, RefusalBody
from vestibule.client.litestar_cache import cache_per_token
from vestibule.client.requirements import Requirement
from vestibule.client.throttled_warnings import ThrottledWarnings
from vestibule.client.vary import caller_headers
from vestibule.client.verifier import Verifier

_warnings = ThrottledWarnings()
_REFUSAL = "vestibule.refusal"
_CHECKED = "vestibule.checked"
_EXCLUDED = "exclude_from_auth"
_SCHEME = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT", description=SCHEME_DESCRIPTION)
_RESPONSES = {
    status: ResponseSpec(RefusalBody, generate_examples=False, description=description)
    for status, description in DESCRIPTIONS.items()
}
_UNCHECKED = "nothing has checked who is calling"
_ADD_PLUGIN = (
    "add VestibulePlugin(verifier) to the plugins of the application, or middleware(verifier) to the router of this"
    " handler"
)


class VestibulePlugin(InitPlugin, ReceiveRoutePlugin):
    """Adds the middleware to the application, answers refusals that its handlers raise, and puts security scheme and
    refusals into its OpenAPI document. `options` are those of Litestar's authentication middleware, such as `exclude`.
    """

    def __init__(self, verifier: Verifier, **options: Any) -> None:
        self._middleware = middleware(verifier, **options)
        self._excluded_by = str(options.get("exclude_from_auth_key", _EXCLUDED))
        exclude = options.get("exclude") or []
        self._open_paths = [re.compile(pattern) for pattern in ([exclude] if isinstance(exclude, str) else exclude)]

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Change the configuration of an application, before Litestar makes the application, and return it."""
        app_config.middleware.insert(0, self._middleware)
        app_config.exception_handlers.setdefault(CallerRefusedError, _answer)
        if app_config.openapi_config is not None:
            config = app_config.openapi_config = copy(app_config.openapi_config)
            others = config.components if isinstance(config.components, list) else [config.components]
            config.components = [*others, Components(security_schemes={SCHEME: _SCHEME})]
        return app_config

    def receive_route(self, route: BaseRoute) -> None:
        """Document a route. Raises `ImproperlyConfiguredException`, so that the application does not start, if a route
        that is excluded from the middleware has a guard of the kit.
        """
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else [_handler_of(route)]:
            if self._is_open(route, handler):
                _require_no_guard(route, handler)
            elif isinstance(handler, HTTPRouteHandler):
                handler.responses = {**_RESPONSES, **(handler.responses or {})}
                handler.security = [*(handler.security or ()), {SCHEME: []}]

    def _is_open(self, route: BaseRoute, handler: BaseRouteHandler) -> bool:
        # Where the path has parameters, a pattern may exclude some requests and not others.
        excluded = not route.path_parameters and any(pattern.findall(route.path) for pattern in self._open_paths)
        return excluded or bool(handler.opt.get(self._excluded_by))


def middleware(verifier: Verifier, **options: Any) -> DefineMiddleware:
    """Return the middleware for an application, a router or a handler. `options` are Litestar's, such as `exclude`."""
    arguments.instance("verifier", verifier, Verifier)
    litestar_options.require_fitting(options)
    return DefineMiddleware(VestibuleMiddleware, verifier=verifier, **options)


class VestibuleMiddleware(AbstractAuthenticationMiddleware):
    """Sets `request.user` to the `Caller`, and `request.auth` to the token. Both are None for a request that is
    excluded from the check, and for an `OPTIONS` request without a token.
    """

    def __init__(self, app: ASGIApp, verifier: Verifier, **options: Any) -> None:
        arguments.instance("verifier", verifier, Verifier)
        litestar_options.require_fitting(options)
        super().__init__(arguments.function("app", app), **{"exclude_http_methods": (), **options})
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. Answer refusals, including those of guards, with the same body as under the other
        frameworks.
        """
        _handlers_of(scope).setdefault(CallerRefusedError, _answer)
        scope.setdefault("user", None)
        scope.setdefault("auth", None)
        send_varying = send_with_vary(send, caller_headers(self._verifier))  # type: ignore[arg-type]
        replaced = False

        # A guard can raise only Litestar's own HTTPException, which Litestar answers with a body of its own. So
        # `_exception_for` leaves the refusal in the scope, and an answer with its status is replaced.
        async def send_refusal_instead(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                refusal = scope.get(_REFUSAL)
                if isinstance(refusal, CallerRefusedError) and message["status"] == refusal.status:
                    replaced = True
                    await refuse(refusal, scope, send_varying)
            if not replaced:  # otherwise Litestar's own body would follow
                chosen_send = send_varying if _CHECKED in scope else send
                await chosen_send(message)  # type: ignore[arg-type]

        try:
            await super().__call__(scope, receive, send_refusal_instead)
        except CallerRefusedError as refusal:
            await refuse(refusal, scope, send_varying)

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        scope = connection.scope
        scope[_CHECKED] = True  # type: ignore[literal-required]
        cache_per_token(scope)
        method = str(scope.get("method", WEBSOCKET))
        try:
            token = token_in(self._verifier, method, list(scope["headers"]), scope["scheme"])
        except NoTokenError:
            if may_lack_token(method, required=True):
                return AuthenticationResult(user=None, auth=None)
            raise
        return AuthenticationResult(user=await self._verifier.check_async(token), auth=token)


def caller_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """Return the caller of a request or websocket; raises Litestar's exception with 401 if nobody is signed in, and
    `ImproperlyConfiguredException` if neither the plugin nor the middleware is used.
    """
    if "user" not in connection.scope:
        _warnings.warn(_UNCHECKED, _ADD_PLUGIN)  # Litestar logs the exception below only in debug mode
        raise ImproperlyConfiguredException(f"{_UNCHECKED}: {_ADD_PLUGIN}")
    caller = connection.scope["user"]
    if not isinstance(caller, Caller):
        raise _exception_for(NoTokenError(), connection)
    return caller


def with_role(*roles: str) -> Guard:
    """Return a guard that raises a 403 unless the caller has one of `roles`. Raises `ValueError` at once if none is
    named.
    """
    return _Guard(requirements.of_roles(roles))


def require_permission(permission: str) -> Guard:
    """Return a guard that raises a 403 unless a role of the caller has the permission. Raises `ValueError` at once for
    what cannot be one.
    """
    return _Guard(requirements.of_permission(permission))


def require_level(level: int) -> Guard:
    """Return a guard that raises a 401 unless the caller's sign-in reached `level`. Raises `ValueError` at once unless
    that is 1, 2 or 3.
    """
    return _Guard(requirements.of_level(level))


def require_recent(max_age: int) -> Guard:
    """Return a guard that raises a 401 unless the caller signed in during the last `max_age` seconds. Raises
    `ValueError` at once unless that is a whole number of 1 or more.
    """
    return _Guard(requirements.of_recency(max_age))


class _Guard:
    def __init__(self, requirement: Requirement) -> None:
        self.requirement = requirement

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        caller = caller_of(connection)
        try:
            self.requirement.check(caller, lambda: (guard.requirement for guard in _guards_of(handler)))
        except CallerRefusedError as refusal:
            raise _exception_for(refusal, connection) from None


def _exception_for(refusal: CallerRefusedError, connection: ASGIConnection[Any, Any, Any, Any]) -> Exception:
    if connection.scope["type"] == WEBSOCKET:
        return WebSocketException(detail=refusal.code, code=POLICY_VIOLATION)
    connection.scope[_REFUSAL] = refusal  # type: ignore[literal-required]
    return HTTPException(refusal.message, status_code=refusal.status, headers=refusal.headers)


def _answer(_request: Request[Any, Any, Any], refusal: CallerRefusedError) -> Response[dict[str, str | int]]:
    return Response(refusal.body, status_code=refusal.status, headers=refusal.headers)


def _handlers_of(scope: Scope) -> ExceptionHandlersMap:
    """Return the exception handlers of this request. They run before a middleware sees an exception."""
    handlers = ScopeState.from_scope(scope).exception_handlers
    return cast(ExceptionHandlersMap, handlers) if isinstance(handlers, dict) else {}


def _handler_of(route: BaseRoute) -> BaseRouteHandler:
    return cast(ASGIRoute | WebSocketRoute, route).route_handler


def _guards_of(handler: BaseRouteHandler) -> list[_Guard]:
    """Return the kit's guards of a handler, those of its routers and of the application included."""
    return [guard for guard in handler.resolve_guards() if isinstance(guard, _Guard)]


def _require_no_guard(route: BaseRoute, handler: BaseRouteHandler) -> None:
    if _guards_of(handler):
        raise ImproperlyConfiguredException(
            f"{route.path} has a guard of with_role, require_permission, require_level or require_recent, and is"
            " excluded from VestibulePlugin, so that nobody could ever be let in: take away one of them"
        )
