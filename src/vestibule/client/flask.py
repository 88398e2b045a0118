"""Flask: views that require a caller.

    vestibule = Vestibule(app, Verifier("https://auth.example.com", service_key="vsk_…"))

    @app.get("/orders")
    @vestibule.signed_in
    def orders(): return {"mine": current_caller.id}

`@vestibule.with_role("admin")` also requires a role, `@vestibule.require_permission("invoices:write")` a permission,
`@vestibule.require_level(2)` a second factor, and `@vestibule.require_recent(300)` a sign-in of the last five minutes.
With an application factory, put `vestibule = Vestibule()` at the top of the module, and call `vestibule.init_app(app)`
in the factory.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from types import NoneType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from flask import Flask, Request, Response, current_app, jsonify, request
from werkzeug.local import LocalProxy

from vestibule.client import arguments, requirements
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CallerRefusedError
from vestibule.client.requirements import SIGNED_IN, Requirement
from vestibule.client.vary import caller_headers
from vestibule.client.verifier import Verifier
from vestibule.client.wsgi import identify, start_with_vary

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

P = ParamSpec("P")
T = TypeVar("T")
_NAME = "vestibule"
_SETTING = "VESTIBULE"
_CALLER = "vestibule_caller"
_CALLER_ASKED_FOR = "vestibule.caller_asked_for"


class Vestibule:
    """Guards views, and answers refusals for the whole application.

    Several applications can share one instance. Each has the verifier that was given here or to `init_app`, or one made
    from its own `app.config["VESTIBULE"]`, the arguments of `Verifier` by name.
    """

    def __init__(self, app: Flask | None = None, verifier: Verifier | None = None) -> None:
        self._verifier = arguments.instance("verifier", verifier, Verifier, NoneType)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, verifier: Verifier | None = None) -> None:
        """Set an application up; raises `RuntimeError` without a verifier and without `app.config["VESTIBULE"]`."""
        arguments.instance("app", app, Flask)
        arguments.instance("verifier", verifier, Verifier, NoneType)
        app.extensions[_NAME] = verifier or self._verifier or _verifier_from_config(app)
        app.register_error_handler(CallerRefusedError, _respond_with)
        app.after_request(_note_stream)
        app.wsgi_app = _adding_vary(app)  # type: ignore[assignment,method-assign]  # as Flask's documentation wraps it

    def signed_in(self, view: Callable[P, T]) -> Callable[P, T]:
        """Return the view, guarded: it answers 401 unless the caller is signed in."""
        return _guard(view, SIGNED_IN)

    def with_role(self, *roles: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Return a decorator: the view answers 403 unless the caller has one of `roles`. Raises `ValueError` at once if
        none is named.
        """
        requirement = requirements.of_roles(roles)
        return lambda view: _guard(view, requirement)

    def require_permission(self, permission: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Return a decorator: the view answers 403 unless a role of the caller has the permission. Raises `ValueError`
        at once for what cannot be one.
        """
        requirement = requirements.of_permission(permission)
        return lambda view: _guard(view, requirement)

    def require_level(self, level: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Return a decorator: the view answers 401 unless the caller's sign-in reached `level`. Raises `ValueError` at
        once unless that is 1, 2 or 3.
        """
        requirement = requirements.of_level(level)
        return lambda view: _guard(view, requirement)

    def require_recent(self, max_age: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Return a decorator: the view answers 401 unless the caller signed in during the last `max_age` seconds.
        Raises `ValueError` at once unless `max_age` is a whole number of 1 or more.
        """
        requirement = requirements.of_recency(max_age)
        return lambda view: _guard(view, requirement)


def _guard(view: Callable[P, T], requirement: Requirement) -> Callable[P, T]:
    """Return a view that requires a caller who meets the requirement."""
    inner = requirements.marked(arguments.function("view", view))

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        requirement.check(_current_caller(), lambda: [inner])
        return cast(T, current_app.ensure_sync(view)(*args, **kwargs))

    return requirements.mark(guarded, requirement & inner)


def caller_of(request: Request) -> Caller:
    """Return the caller of a request, checked once for each request; raises `CallerRefusedError`, which `Vestibule`
    answers.
    """
    # Store the caller with the request, never in `g`: that belongs to the application context, which may stay open in a
    # thread and serve one request after another.
    members = request.__dict__
    if _CALLER not in members:
        request.environ[_CALLER_ASKED_FOR] = True
        members[_CALLER] = identify(request.environ, _verifier())
    return cast(Caller, members[_CALLER])


def _current_caller() -> Caller:
    return caller_of(request)


current_caller = cast(Caller, LocalProxy(_current_caller))
"""The `Caller` of this request. Raises `CallerRefusedError` if nobody is signed in; `Vestibule` then answers 401."""


def _verifier() -> Verifier:
    try:
        return cast(Verifier, current_app.extensions[_NAME])
    except KeyError:
        raise RuntimeError("this application has no Vestibule yet: call vestibule.init_app(app)") from None


def _verifier_from_config(app: Flask) -> Verifier:
    options = app.config.get(_SETTING)
    if isinstance(options, dict) and options:
        return Verifier(**options)
    raise RuntimeError(
        f'Vestibule needs a verifier, or app.config["{_SETTING}"] = {{"url": "https://…", "service_key": "vsk_…"}}'
    )


def _note_stream(answer: Response) -> Response:
    """Count a streamed answer as one that depends on the caller, and return it unchanged: its generator may ask who is
    calling after the headers are sent. A file runs no code of the application.
    """
    if answer.is_streamed and not answer.direct_passthrough:
        request.environ[_CALLER_ASKED_FOR] = True
    return answer


def _adding_vary(app: Flask) -> "WSGIApplication":
    """Return the application's `wsgi_app`, which now names in `Vary` the headers that the caller was found by, if
    anything has asked for the caller. A function of `after_request` would be too early: one that runs later may ask.
    """
    application = app.wsgi_app

    def wsgi_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        varying = start_with_vary(start_response, caller_headers(app.extensions[_NAME]))

        def start(*args: Any) -> Callable[[bytes], object]:
            chosen_start = varying if environ.get(_CALLER_ASKED_FOR) else start_response
            return chosen_start(*args)

        return application(environ, start)

    return wsgi_app


def _respond_with(refusal: CallerRefusedError) -> Response:
    answer = jsonify(refusal.body)
    answer.status_code = refusal.status
    answer.headers.update(cast(Any, refusal.headers))
    return answer
