"""One table: every argument of every public class and function of the kit, and what it must refuse when it is given.

The rows come from the signatures: a new argument has no kind here, and fails until it has one.
"""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any

import pytest

from tests.harness.world import key_ring
from tests.unit.client.asking import AUTH
from tests.unit.client.django_site import for_rest
from tests.unit.client.knowing import EXPECTED
from vestibule import client
from vestibule.client import (
    AsyncSession,
    Caller,
    InFile,
    Session,
    Verifier,
    asgi,
    django,
    fastapi,
    flask,
    litestar,
    testing,
    wsgi,
)
from vestibule.client.django import backend
from vestibule.client.memory import Memory
from vestibule.client.testing import SignedIn
from vestibule.model.clock import SystemClock

MODULES = (client, asgi, wsgi, fastapi, flask, django, backend, for_rest, litestar, testing)
URL = "http://127.0.0.1:1"

NO_TEXT = (None, b"x", 5, True, ["x"])
NO_NUMBER = (None, "", "0", "5", b"5", True, False, -1, float("nan"), float("inf"), [5])
NO_OBJECT = ("", "x", "false", "0", b"x", 0, 5, True, False, [], {}, float("nan"))
NO_LIST = ("", "x", "/", "/health", b"x", b"", 5, True, {"x": 1}, float("nan"))
NO_FLAG = (None, "", "x", "false", "0", b"x", 0, 1, -1, float("nan"), [])

WRONG: dict[str, tuple[Any, ...]] = {
    "actor": NO_TEXT,
    "app": (None, *NO_OBJECT),
    "authenticated_at": (0.5, 2**70, *NO_NUMBER),
    "audience": ("", *NO_TEXT),
    "claims": (*NO_OBJECT[:-2], NO_OBJECT[-1]),
    "clock": (*NO_OBJECT, type(None)),
    "cookie": ("", "a b", b"x", 5, True, ["x"]),
    "code": NO_TEXT,
    "custom_roles": (None, *NO_LIST, [5], [None]),
    "email": NO_TEXT,
    "email_verified": NO_FLAG,
    "exclude": ("", [], [""], ["/open", ""], "/", ".*", "(", b"/open", 5, True, [5], {"/open": 1}),
    "exclude_from_auth_key": ("", b"x", 5, True, ["x"]),
    "exclude_http_methods": (*NO_LIST, [5], [""]),
    "get_response": (None, *NO_OBJECT),
    "issuer": ("", (), [], [""], [5], [None], None, 5, True, b"x", {"x": 1}),
    "key_refetch": (0, *NO_NUMBER),
    "leeway": (61, *NO_NUMBER),
    "level": (0, 4, 2.0, lambda view: view, *NO_NUMBER),
    "max_age": (0, 300.0, 10**10, lambda view: view, *NO_NUMBER),
    "open_paths": (None, *NO_LIST, ["health"], [""], [None], [b"/health"], ["/a", "b"]),
    "origins": (None, *NO_LIST, ["x"], [""], [None], [b"https://a"]),
    "password": NO_TEXT,
    "path": ("", *NO_TEXT),
    "permission": ("", "invoices", *NO_TEXT),
    "permissions": ("", "invoices", *NO_TEXT),
    "plain_http": NO_FLAG,
    "remembered": (0, 1.5, *NO_NUMBER),
    "required": NO_FLAG,
    "role": NO_TEXT,
    "roles": ("", *NO_TEXT),
    "scopes": (*NO_LIST, [5], [""]),
    "service_key": ("", "x", *NO_TEXT),
    "session": NO_TEXT[1:],
    "ssl_context": NO_OBJECT,
    "staleness": (1, *NO_NUMBER),
    "store": (*NO_OBJECT, client.InMemory),
    "timeout": NO_NUMBER,
    "token": NO_TEXT,
    "transport": NO_OBJECT,
    "url": ("", "x", "/", "false", "auth.example.com", *NO_TEXT),
    "user": NO_TEXT,
    "verifier": (*NO_OBJECT, Verifier),
    "view": (None, *NO_OBJECT),
    "when_stale": ("", "maybe", *NO_TEXT),
}
OPTIONS = ("exclude", "exclude_from_auth_key", "exclude_http_methods", "scopes")
"""What `**options` stands for, in Litestar."""

verifier = Verifier(**AUTH)
vestibule_of_flask = flask.Vestibule()
app_of_flask = flask.Flask(__name__)


@dataclass(frozen=True)
class Face:
    """What is called, with arguments that are right."""

    call: Callable[..., Any]
    right: tuple[Any, ...] = ()


def app(*_: Any) -> Any: ...


def view(_request: Any) -> None: ...


def run(call: Callable[..., Any]) -> Callable[..., Any]:
    return wraps(call)(lambda *args, **named: asyncio.run(call(*args, **named)))


def faces(aid: Any) -> dict[str, Face]:
    session, of_tasks = Session(URL), AsyncSession(URL)
    return {
        "client.Verifier": Face(Verifier, (URL, "vsk_x")),
        "client.Verifier.wait_ready": Face(verifier.wait_ready, (1,)),
        "client.Session": Face(Session, (URL,)),
        "client.Session.sign_in": Face(session.sign_in, ("ada@example.com", "correct horse")),
        "client.Session.complete_sign_in": Face(session.complete_sign_in, ("123456",)),
        "client.Session.complete_enrolment": Face(session.complete_enrolment, ("123456",)),
        "client.AsyncSession": Face(AsyncSession, (URL,)),
        "client.AsyncSession.sign_in": Face(run(of_tasks.sign_in), ("ada@example.com", "correct horse")),
        "client.AsyncSession.complete_sign_in": Face(run(of_tasks.complete_sign_in), ("123456",)),
        "client.AsyncSession.complete_enrolment": Face(run(of_tasks.complete_enrolment), ("123456",)),
        "client.InFile": Face(InFile, ("session.json",)),
        "client.Caller.require": Face(Caller("ada", "user", "s", 0, 0, {}).require, ("admin",)),
        "client.Caller.require_permission": Face(Caller("ada", "user", "s", 0, 0, {}).require_permission, ("a:b",)),
        "client.Caller.require_level": Face(Caller("ada", "user", "s", 0, 0, {}).require_level, (2,)),
        "client.Caller.require_recent": Face(Caller("ada", "user", "s", 0, 0, {}).require_recent, (300,)),
        "asgi.VestibuleMiddleware": Face(asgi.VestibuleMiddleware, (app, verifier)),
        "asgi.lifespan": Face(asgi.lifespan, (verifier,)),
        "wsgi.VestibuleMiddleware": Face(wsgi.VestibuleMiddleware, (app, verifier)),
        "fastapi.CurrentUser": Face(fastapi.CurrentUser, (verifier,)),
        "fastapi.CurrentUser.with_role": Face(fastapi.CurrentUser(verifier).with_role, ("admin",)),
        "fastapi.CurrentUser.require_permission": Face(fastapi.CurrentUser(verifier).require_permission, ("a:b",)),
        "fastapi.CurrentUser.require_level": Face(fastapi.CurrentUser(verifier).require_level, (2,)),
        "fastapi.CurrentUser.require_recent": Face(fastapi.CurrentUser(verifier).require_recent, (300,)),
        "fastapi.install": Face(fastapi.install, (fastapi.FastAPI(),)),
        "fastapi.lifespan": Face(fastapi.lifespan, (verifier,)),
        "flask.Vestibule": Face(flask.Vestibule),
        "flask.Vestibule.init_app": Face(vestibule_of_flask.init_app, (app_of_flask, verifier)),
        "flask.Vestibule.signed_in": Face(vestibule_of_flask.signed_in, (view,)),
        "flask.Vestibule.with_role": Face(vestibule_of_flask.with_role, ("admin",)),
        "flask.Vestibule.require_permission": Face(vestibule_of_flask.require_permission, ("a:b",)),
        "flask.Vestibule.require_level": Face(vestibule_of_flask.require_level, (2,)),
        "flask.Vestibule.require_recent": Face(vestibule_of_flask.require_recent, (300,)),
        "django.VestibuleMiddleware": Face(django.VestibuleMiddleware, (app,)),
        "django.signed_in": Face(django.signed_in, (view,)),
        "django.with_role": Face(django.with_role, ("admin",)),
        "django.require_permission": Face(django.require_permission, ("a:b",)),
        "django.require_level": Face(django.require_level, (2,)),
        "django.require_recent": Face(django.require_recent, (300,)),
        "rest_framework.with_role": Face(for_rest.with_role, ("admin",)),
        "rest_framework.require_permission": Face(for_rest.require_permission, ("a:b",)),
        "rest_framework.require_level": Face(for_rest.require_level, (2,)),
        "rest_framework.require_recent": Face(for_rest.require_recent, (300,)),
        "litestar.VestibulePlugin": Face(litestar.VestibulePlugin, (verifier,)),
        "litestar.middleware": Face(litestar.middleware, (verifier,)),
        "litestar.VestibuleMiddleware": Face(litestar.VestibuleMiddleware, (app, verifier)),
        "litestar.with_role": Face(litestar.with_role, ("admin",)),
        "litestar.require_permission": Face(litestar.require_permission, ("a:b",)),
        "litestar.require_level": Face(litestar.require_level, (2,)),
        "litestar.require_recent": Face(litestar.require_recent, (300,)),
        "testing.SignedIn.token_for": Face(aid.token_for, ("ada",)),
        "testing.SignedIn.expire": Face(aid.expire, ("x",)),
        "testing.SignedIn.revoke": Face(aid.revoke, ("x",)),
        "testing.SignedIn.revoke_all": Face(aid.revoke_all, ("ada",)),
        "testing.SignedIn.headers": Face(aid.headers, ("x",)),
    }


AUTH_FLOWS = ("sync_auth_flow", "async_auth_flow")
NOT_SET_UP = {
    "client.Verifier.check": "a request's token: refused",
    "client.Verifier.check_async": "a request's token: refused",
    "client.Session.fresh": "a token that a service refused",
    "client.AsyncSession.fresh": "a token that a service refused",
    **{f"client.{kind}.{name}": "a request" for kind in ("Session", "AsyncSession") for name in AUTH_FLOWS},
    "client.InFile.save": "tokens",
    "client.InMemory.save": "tokens",
    "client.TokenStore": "a protocol",
    "client.TokenStore.save": "a protocol",
    "django.backend.VestibuleBackend": "called by Django",
    "django.backend.hand_over": "a row",
    "rest_framework.VestibuleAuthentication": "called by the framework",
    "litestar.VestibulePlugin.on_app_init": "called by the framework",
    "litestar.VestibulePlugin.receive_route": "called by the framework",
    "litestar.VestibuleMiddleware.authenticate_request": "called by the framework",
    "client.Caller": "made from a token that was checked",
    "client.Tokens": "made from an answer or a file that was checked",
    "testing.SignedIn": "made by the fixture",
    "flask.caller_of": "a request",
    "django.VestibuleUser": "a caller",
    "django.caller_of": "a request",
    "django.refused": "a refusal",
    "django.token_of": "a request",
    "django.VestibuleMiddleware.process_exception": "a request",
    "asgi.answer_refusals": "a request",
    "asgi.caller_of": "a request",
    "asgi.refuse": "a refusal",
    "asgi.send_with_vary": "a request",
    "wsgi.caller_of": "a request",
    "wsgi.identify": "a request",
    "wsgi.raw_headers": "a request",
    "wsgi.refuse": "a refusal",
    "wsgi.start_with_vary": "a request",
    "fastapi.caller_of": "a request",
    "rest_framework.caller_of": "a request",
    "litestar.caller_of": "a request",
}
"""What is called with values of one request or of the kit itself, and raises or refuses by them."""


def public(module: Any) -> Iterator[tuple[str, Any]]:
    named = getattr(module, "__all__", None) or [
        name for name, it in vars(module).items() if getattr(it, "__module__", "") == module.__name__
    ]
    short = module.__name__.removeprefix("vestibule.client.") if module is not client else "client"
    for name in named:
        it = getattr(module, name)
        if not name.startswith("_") and (inspect.isfunction(it) or inspect.isclass(it)):
            yield f"{short}.{name}", it


def methods(module: Any) -> Iterator[tuple[str, Any]]:
    """Every public class, function and method of a module but errors, which the kit makes."""
    for name, it in public(module):
        if not (inspect.isclass(it) and issubclass(it, Exception)):
            yield name, it
            members = vars(it).items() if inspect.isclass(it) else ()
            yield from ((f"{name}.{k}", v) for k, v in members if not k.startswith("_") and inspect.isfunction(v))


def given(call: Callable[..., Any]) -> list[str]:
    try:
        names = [name for name in inspect.signature(call).parameters if name not in {"self", "cls"}]
    except ValueError:  # a type alias
        return []
    return [each for name in names for each in (OPTIONS if name == "options" else (name,))]


MEMORY = Memory(EXPECTED, "refuse", 5.0, 1, SystemClock())
FACES = faces(SignedIn(MEMORY, key_ring().access.signing, SystemClock(), EXPECTED))
ARGUMENTS = [(face, name) for face, row in FACES.items() for name in given(row.call)]


def call_with(face: Face, name: str, wrong: Any) -> Any:
    """Call a face with arguments that are right, but one."""
    if name == "roles":
        return face.call("admin", wrong)
    names = [each for each in given(face.call) if each not in {"roles", *OPTIONS}]
    return face.call(**{**dict(zip(names, face.right, strict=False)), name: wrong})


def test_every_public_callable_is_in_the_table() -> None:
    found = {name for module in MODULES for name, it in methods(module) if given(it)}
    excused = {name for name in found if name in NOT_SET_UP or name.rpartition(".")[0] in NOT_SET_UP}
    assert found == set(FACES) | excused


@pytest.mark.parametrize(("face", "name"), ARGUMENTS, ids=[f"{face}({name})" for face, name in ARGUMENTS])
def test_an_argument_that_cannot_be_right_is_refused_when_it_is_given(face: str, name: str) -> None:
    optional = inspect.signature(FACES[face].call).parameters.get(name)
    for wrong in WRONG[name]:
        if wrong is None and optional is not None and optional.default is None:
            continue
        with pytest.raises(ValueError, match=r"\w") as refused:
            pytest.fail(f"took {wrong!r}: {call_with(FACES[face], name, wrong)}")
        assert len(str(refused.value)) < 200
        assert "\n" not in str(refused.value)
