"""List the servers that are compared: how each is started, and what its requests are."""

import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from measure import scripts
from measure.scripts import ME, Tokens
from measure.server import PEER_PYTHON, ROOT, Server, answering_program, granian, vestibule
from measure.speed.results import Contender
from measure.wire import Answer, request
from tests.harness.backends import POSTGRESQL, SECRET, fresh, postgresql_database
from tests.harness.process import PASSWORD
from tests.harness.servers import free_port
from vestibule.crypto.passwords import Argon2id
from vestibule.settings.fields import Settings

POOL = Settings.model_fields["database_pool"].default
"""Connections to PostgreSQL that each server may have: Vestibule's default."""
BETTER_AUTH_FOLDER = Path(sys.prefix) / "better_auth"
_BETTER_AUTH_SOURCE = ROOT / "measure" / "speed" / "better_auth"
_SESSION_COOKIE = "better-auth.session_token"
Serving = Callable[[Path, dict[str, str]], AbstractAsyncContextManager[Server]]
"""Starts one of the servers, given an empty folder and Vestibule's settings."""


@dataclass(frozen=True)
class Requests:
    """The requests to one server, given an email or a session's token; `token_of` finds that token in the answer to a
    sign-in. `registered` and `signed_out` are the statuses of a registration and of a sign-out.
    """

    register: Callable[[str], bytes]
    sign_in: Callable[[str], bytes]
    token_of: Callable[[Answer], str]
    look: Callable[[str], bytes]
    sign_out: Callable[[str], bytes]
    registered: int = 200
    signed_out: int = 200


@dataclass(frozen=True)
class Entry:
    """One of the servers."""

    name: Contender
    serving: Serving
    requests: Requests


@asynccontextmanager
async def _vestibule(folder: Path, settings: dict[str, str]) -> AsyncIterator[Server]:
    async with fresh(POSTGRESQL, folder) as backend:
        place = folder / "vestibule"
        place.mkdir()
        async with vestibule(place, settings | {"DATABASE_URL": backend.database_url}) as server:
            yield server


def _on_a_database(served: Callable[[str], AbstractAsyncContextManager[Server]]) -> Serving:
    """Return how to start a server that needs nothing but an empty database."""

    @asynccontextmanager
    async def serving(_folder: Path, _settings: dict[str, str]) -> AsyncIterator[Server]:
        async with postgresql_database() as database, served(database) as server:
            yield server

    return serving


def _fastapi_users(database: str) -> AbstractAsyncContextManager[Server]:
    cost = Argon2id()
    environment = {
        "BENCH_DATABASE": database.replace("postgresql://", "postgresql+asyncpg://"),
        "BENCH_ARGON2": f"{cost.iterations} {cost.memory_kib} {cost.lanes}",
        "BENCH_POOL": str(POOL),
    }
    target, program = "measure.speed.fastapi_users_server:application", (PEER_PYTHON, "-m", "granian")
    return granian(target, "asgi", environment, "/openapi.json", program)


def _better_auth(database: str) -> AbstractAsyncContextManager[Server]:
    port = free_port()
    environment = {
        "NODE_ENV": "production",
        "BENCH_DATABASE": database,
        "BENCH_POOL": str(POOL),
        "BENCH_PORT": str(port),
        "BENCH_SECRET": SECRET,
    }
    return answering_program(better_auth_command("server.mjs"), port, environment, "/api/auth/ok")


def better_auth_command(script: str, *arguments: str) -> list[str]:
    """Return the command that runs a script of better_auth/. Copies it beside the packages that it imports, because
    Node.js looks for them there.
    """
    shutil.copy(_BETTER_AUTH_SOURCE / script, BETTER_AUTH_FOLDER / script)
    return ["node", str(BETTER_AUTH_FOLDER / script), *arguments]


def reason_to_leave_out(name: Contender) -> str | None:
    """Return why a server cannot be measured on this machine; None if it can."""
    if name is not Contender.BETTER_AUTH:
        return None
    if shutil.which("node") is None:
        return "Node.js is not on this machine"
    if not (BETTER_AUTH_FOLDER / "node_modules" / "better-auth").is_dir():
        return "npm could not install its packages here"
    return None


def _their_cookie(answer: Answer) -> str:
    return f"{_SESSION_COOKIE}={answer.cookie(_SESSION_COOKIE)}"


def _sign_in_form(email: str) -> bytes:
    return request("POST", "/auth/login", form=urlencode({"username": email, "password": PASSWORD}))


def _sign_out_of_better_auth(cookie: str) -> bytes:
    return request("POST", "/api/auth/sign-out", cookie=cookie, body={}, origin="http://localhost")


ENTRIES = (
    Entry(
        Contender.VESTIBULE,
        _vestibule,
        Requests(
            register=scripts.registration,
            sign_in=scripts.sign_in,
            token_of=lambda answer: answer.cookie("access_token"),
            look=lambda token: request("GET", ME, token=token),
            sign_out=lambda token: scripts.sign_out(Tokens(token, "")),
            registered=201,
        ),
    ),
    Entry(
        Contender.FASTAPI_USERS,
        _on_a_database(_fastapi_users),
        Requests(
            register=lambda email: request("POST", "/register", body={"email": email, "password": PASSWORD}),
            sign_in=_sign_in_form,
            token_of=lambda answer: str(json.loads(answer.body)["access_token"]),
            look=lambda token: request("GET", "/users/me", token=token),
            sign_out=lambda token: request("POST", "/auth/logout", token=token),
            registered=201,
            signed_out=204,
        ),
    ),
    Entry(
        Contender.BETTER_AUTH,
        _on_a_database(_better_auth),
        Requests(
            register=lambda email: request(
                "POST", "/api/auth/sign-up/email", body={"name": "Ada", "email": email, "password": PASSWORD}
            ),
            sign_in=lambda email: request(
                "POST", "/api/auth/sign-in/email", body={"email": email, "password": PASSWORD}
            ),
            token_of=_their_cookie,
            look=lambda cookie: request("GET", "/api/auth/get-session", cookie=cookie),
            sign_out=_sign_out_of_better_auth,
        ),
    ),
)
