"""Any WSGI application: a middleware that requires a signed-in caller.

    app.wsgi_app = VestibuleMiddleware(app.wsgi_app, Verifier("https://auth.example.com", service_key="vsk_…"))

    caller = caller_of(environ)

The check does no I/O, so it does not block a worker.
"""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from vestibule.client import arguments
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CallerRefusedError, NoTokenError
from vestibule.client.credentials import may_lack_token, token_in
from vestibule.client.vary import caller_headers, with_vary
from vestibule.client.verifier import Verifier

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

CALLER = "vestibule.caller"
_NAMES = (b"authorization", b"cookie", b"host", b"origin", b"sec-fetch-site", b"upgrade")
_HEADERS = {f"HTTP_{name.decode().upper().replace('-', '_')}": name for name in _NAMES}


class VestibuleMiddleware:
    """Puts the `Caller` into the environment, as `vestibule.caller`, where `caller_of` finds it.

    With `required=False` a request without a token goes on, and the caller is None; a bad token is refused all the
    same. Requests whose path equals one of `open_paths` are let through unchecked, and the caller is None. `OPTIONS`
    requests without a token are let through too: browsers send them as preflights. A refusal that the application
    raises becomes the response.
    """

    def __init__(
        self, app: "WSGIApplication", verifier: Verifier, *, required: bool = True, open_paths: Collection[str] = ()
    ) -> None:
        self._app = arguments.function("app", app)
        self._verifier = arguments.instance("verifier", verifier, Verifier)
        self._required = arguments.flag("required", required)
        self._open_paths = arguments.paths("open_paths", open_paths)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") in self._open_paths:
            environ[CALLER] = None
            return self._go_on(environ, start_response)
        start_response = start_with_vary(start_response, caller_headers(self._verifier))
        try:
            environ[CALLER] = self._caller(environ)
        except CallerRefusedError as refusal:
            return refuse(refusal, start_response)
        return self._go_on(environ, start_response)

    def _go_on(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Call the application. If it raises a refusal, now or while producing the first chunk of the body, respond
        with that refusal.
        """
        begun = False

        def tracked_start_response(*args: Any) -> Callable[[bytes], object]:
            nonlocal begun
            begun = True
            return start_response(*args)

        def respond_with(refusal: CallerRefusedError) -> Iterable[bytes]:
            # Given the exception, the server replaces a response that has begun but is not sent (PEP 3333).
            exception = (sys.exc_info(),) if begun else ()
            return refuse(refusal, lambda status, headers: start_response(status, headers, *exception))

        try:
            body = self._app(environ, tracked_start_response)
        except CallerRefusedError as refusal:
            return respond_with(refusal)
        return _Body(body, respond_with) if _runs_application_code(body, environ) else body

    def _caller(self, environ: "WSGIEnvironment") -> Caller | None:
        try:
            return identify(environ, self._verifier)
        except NoTokenError:
            if may_lack_token(environ["REQUEST_METHOD"], required=self._required):
                return None
            raise


class _Body:
    """The body of an application that produces it in chunks. A refusal raised before the first non-empty chunk becomes
    the response.
    """

    def __init__(self, body: Iterable[bytes], respond_with: Callable[[CallerRefusedError], Iterable[bytes]]) -> None:
        self._body = body
        self._chunks = iter(body)
        self._respond_with = respond_with
        self._sent = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except CallerRefusedError as refusal:
            if self._sent:
                raise
            self._chunks = iter(self._respond_with(refusal))
            chunk = next(self._chunks)
        self._sent = self._sent or bool(chunk)
        return chunk

    def close(self) -> None:
        """Close the application's own body, as servers do (PEP 3333)."""
        close = getattr(self._body, "close", None)
        if close:
            close()


def _runs_application_code(body: Iterable[bytes], environ: "WSGIEnvironment") -> bool:
    """Return whether reading the body may run code of the application. Lists and the server's file wrapper run none,
    and must not be wrapped: servers optimise for these types.
    """
    if isinstance(body, list | tuple):
        return False
    file_wrapper = environ.get("wsgi.file_wrapper")
    return not (isinstance(file_wrapper, type) and isinstance(body, file_wrapper))


def start_with_vary(start_response: "StartResponse", names: Iterable[str]) -> "StartResponse":
    """Return a `start_response` that adds `names` to the `Vary` of the response."""

    def changed_start_response(
        status: str, headers: list[tuple[str, str]], *exception: Any
    ) -> Callable[[bytes], object]:
        return start_response(status, with_vary(headers, names), *exception)

    return changed_start_response


def caller_of(environ: "WSGIEnvironment") -> Caller:
    """Return the caller of a request; raises `NoTokenError` if nobody is signed in, which the middleware answers."""
    caller = environ.get(CALLER)
    if not isinstance(caller, Caller):
        raise NoTokenError
    return caller


def identify(environ: "WSGIEnvironment", verifier: Verifier) -> Caller:
    """Return the caller of a request that no middleware has checked; raises `CallerRefusedError`."""
    scheme = environ.get("wsgi.url_scheme", "")
    return verifier.check(token_in(verifier, environ["REQUEST_METHOD"], raw_headers(environ), scheme))


def raw_headers(environ: "WSGIEnvironment") -> list[tuple[bytes, bytes]]:
    """Return the headers with credentials and origin, as the bytes that were sent. PEP 3333 decodes them as Latin-1.

    granian also accepts `Sec_Fetch_Site` for `Sec-Fetch-Site`. This is harmless: a page of another site cannot send it
    without a CORS preflight that allows it.
    """
    sent = {name: environ[key].encode("latin-1", "replace") for key, name in _HEADERS.items() if key in environ}
    # Servers join headers of the same name with a comma. No token contains one, so split there.
    authorization = sent.pop(b"authorization", None)
    several = [(b"authorization", part) for part in authorization.split(b",")] if authorization else []
    return [*several, *sent.items()]


def refuse(
    refusal: CallerRefusedError, start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Begin the response to a refused request, and return its body."""
    content = json.dumps(refusal.body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **refusal.headers}
    start_response(f"{refusal.status} {HTTPStatus(refusal.status).phrase}", list(headers.items()))
    return [content]
