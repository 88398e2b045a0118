"""Flask: views that require a caller.

    vestibule = Vestibule(app, Verifier("https://auth.example.com", service_key="vsk_…"))

    @app.get("/orders")
    @vestibule.signed_in
    def orders(): return {"mine": current_caller.id}

`@vestibule.with_role("admin")` also requires a role.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.local import LocalProxy

from vestibule.client.caller import Caller
from vestibule.client.errors import CallerRefusedError
from vestibule.client.verifier import Verifier
from vestibule.client.wsgi import caller_of

P = ParamSpec("P")
T = TypeVar("T")
_NAME = "vestibule"
_CALLER = "vestibule_caller"


class Vestibule:
    """Guards views, and answers refusals for the whole application."""

    def __init__(self, app: Flask, verifier: Verifier) -> None:
        app.extensions[_NAME] = verifier
        app.register_error_handler(CallerRefusedError, _refused)

    def signed_in(self, view: Callable[P, T]) -> Callable[P, T]:
        """Answer 401 unless the caller is signed in."""
        return self.with_role()(view)

    def with_role(self, *roles: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Answer 403 unless the caller has one of `roles`; any role will do if none is given."""

        def guard(view: Callable[P, T]) -> Callable[P, T]:
            @wraps(view)
            def guarded(*arguments: P.args, **named: P.kwargs) -> T:
                caller = _identified()
                if roles:
                    caller.require(*roles)
                return cast(T, current_app.ensure_sync(view)(*arguments, **named))

            return guarded

        return guard


def _identified() -> Caller:
    """Return the caller of this request, checked once for each request; raises `CallerRefusedError`."""
    # Store the caller with the request, never in `g`: that belongs to the application context, which may stay open in a
    # thread and serve one request after another.
    members = request.__dict__
    if _CALLER not in members:
        members[_CALLER] = caller_of(request.environ, current_app.extensions[_NAME])
    return cast(Caller, members[_CALLER])


current_caller = cast(Caller, LocalProxy(_identified))
"""The `Caller` of this request. Raises `CallerRefusedError` if nobody is signed in; `Vestibule` then answers 401."""


def _refused(refusal: CallerRefusedError) -> Response:
    answer = jsonify(refusal.body)
    answer.status_code = refusal.status
    answer.headers.update(cast(Any, refusal.headers))
    return answer
