"""L16: every line of the map, page or API, whatever becomes of it, says nothing private in its log or its refusal."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiosmtplib
import asyncpg
import httpx
import pytest
import redis.exceptions
import sqlalchemy.exc

from tests.harness import backends, dump
from tests.harness.forms import csrf_in
from tests.harness.world import World, world_on
from tests.stories.canaries import ARGON2, LINES, NAME, NEW_PASSWORD, PASSWORD, SERVICE_KEY, singing
from tests.stories.canaries import FIELDS as ANY_FIELDS
from vestibule.flows.service_keys import create_service_key
from vestibule.model.letters import LetterKind

EMAIL = "ada@example.com"
FIELDS = {**ANY_FIELDS, "email": EMAIL}


def _not_json() -> Exception:
    return json.JSONDecodeError(PASSWORD, PASSWORD, 0)


def _unique() -> Exception:
    fault = asyncpg.UniqueViolationError(f"duplicate: '{PASSWORD}'")
    fault.detail = f"Key (name)=({NAME}) already exists."
    return fault


FAULTS: dict[str, Callable[[], Exception]] = {
    "a key": lambda: KeyError(PASSWORD),
    "a value": lambda: ValueError(f"could not convert {PASSWORD!r}"),
    "a system's error without a number": lambda: OSError(PASSWORD),
    "a text that cannot be sent": lambda: UnicodeEncodeError("ascii", PASSWORD, 5, 6, f"{NAME}: ordinal not in range"),
    "what is no JSON": _not_json,
    "a driver's own": _unique,
    "a driver's value": lambda: asyncpg.DataError(f"invalid input for query argument $1: {ARGON2!r}"),
    "a statement": lambda: sqlalchemy.exc.StatementError(PASSWORD, "INSERT INTO accounts", {"h": ARGON2}, Exception()),
    "Redis": lambda: redis.exceptions.ResponseError(f"Command # 1 (SET x {PASSWORD}) of pipeline caused error"),
    "SMTP": lambda: aiosmtplib.SMTPResponseException(535, f"no: {PASSWORD}"),
    "HTTP": lambda: httpx.LocalProtocolError(f"Illegal header value b'Bearer {SERVICE_KEY}'"),
    "an assertion": lambda: AssertionError(PASSWORD),
    "several": lambda: ExceptionGroup(PASSWORD, [ValueError(NAME), KeyError(ARGON2)]),
    "one that came of another": lambda: _from(KeyError(PASSWORD)),
}


def _from(fault: Exception) -> Exception:
    made = LookupError(NAME)
    made.__cause__ = fault
    made.add_note(PASSWORD)
    return made


@contextmanager
def broken(world: World, fault: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a flow asks of the database ends so."""

    def fails(*_: object, **__: object) -> Any:
        raise fault()

    with monkeypatch.context() as patched:
        for name in ("transaction", "reading"):
            patched.setattr(world.env.store, name, fails)
            patched.setattr(world.env.watching, name, fails)
        yield


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """On SQLite alone: what a database says of itself is for L8."""
    async with backends.fresh(backends.SQLITE, tmp_path) as backend, world_on(backend) as made:
        yield made


class Person:
    """Somebody who has everything that a request can bring, and a service that has a key."""

    def __init__(self, world: World, client: httpx.AsyncClient, mailed: str, service_key: str, form: str) -> None:
        self.world, self.client, self.mailed, self.service_key, self.form = world, client, mailed, service_key, form
        self.tokens = [client.cookies["access_token"], client.cookies["refresh_token"]]

    @classmethod
    async def at(cls, world: World) -> "Person":
        body = {"name": NAME, "email": EMAIL, "password": PASSWORD, "passwordConfirm": PASSWORD}
        assert (await (await world.client()).post("/api/auth/register", json=body)).status_code == 201
        await world.deliver()
        client = await world.sign_in(EMAIL, PASSWORD)
        form = csrf_in(await client.get("/profile"))
        key = await create_service_key(world.env, "orders")
        assert key is not None
        await client.post("/api/auth/forgotpassword", json={"email": EMAIL})
        await world.deliver()
        return cls(world, client, world.secret(LetterKind.VERIFY_EMAIL), key, form)

    @property
    def secrets(self) -> list[str]:
        """What is made up by Vestibule, whole or the part of it that counts."""
        others = (self.mailed, self.world.secret(LetterKind.RESET_PASSWORD), self.service_key)
        return [*others, *self.tokens, *(token.rpartition(".")[2] for token in self.tokens)]

    async def ask(self, method: str, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """One line of the map, with all of it; cookies are those of before, whatever was answered since."""
        path = re.sub(r"\{(session_id|kind|language)\}", "x", path)
        path = re.sub(r"\{(code|token)\}", self.mailed, path)
        self.client.cookies.clear()
        names = ("access_token", "refresh_token")
        cookies = "; ".join(f"{name}={token}" for name, token in zip(names, self.tokens, strict=True))
        how: dict[str, Any] = {"headers": {"Cookie": cookies, **headers}}
        if path == "/api/auth/introspect":
            how["headers"]["Authorization"] = f"Bearer {self.service_key}"
            how["data"] = {"token": self.tokens[0]}
        elif path.startswith("/api"):
            how["json"] = fields
        elif method == "POST":
            how["data"] = {**fields, "csrf": self.form}
        return await self.client.request(method, path, **({"params": fields} if method == "GET" else {}), **how)


WRONG = {
    "as it should be": FIELDS,
    "a wrong password": {**FIELDS, "currentPassword": NEW_PASSWORD, "email": "grace@example.com"},
    "not the same twice": {**FIELDS, "passwordConfirm": PASSWORD},
    "the password where the email is": {**FIELDS, "email": PASSWORD, "name": PASSWORD},
    "too long": {**FIELDS, "password": PASSWORD * 20, "passwordConfirm": PASSWORD * 20, "name": PASSWORD * 20},
    "an email nobody knows": {**FIELDS, "email": "nobody@example.com"},
}


async def test_l16_whatever_a_request_comes_to_nothing_private_is_said(world: World, said: Callable[[], str]) -> None:
    """L16, L3: success and every refusal, at every line of the map; and what happened is in the events without it."""
    person = await Person.at(world)
    for fields in WRONG.values():
        for method, path in LINES:
            answer = await person.ask(method, path, fields)
            if answer.status_code >= 400 and answer.headers.get("content-type", "").startswith("application/json"):
                # 404 names the path as it was asked for, to its sender.
                assert not singing(answer.text.replace(NAME, "")), (method, path, answer.text)
            for secret in (*person.tokens, person.service_key):
                assert secret not in answer.text, (method, path)
    written = said()
    assert "sign_in_refused" in written
    assert not singing(written, *person.secrets)
    assert EMAIL not in written
    events = str((await dump.tables(world))["events"])
    assert "sign_in_refused" in events
    assert not singing(events, *person.secrets)


async def test_l16_a_failure_that_nobody_foresaw_tells_no_value(
    world: World, monkeypatch: pytest.MonkeyPatch, said: Callable[[], str]
) -> None:
    """L16, L8: whatever library fails, and whatever it quotes; some of them at every line of the map."""
    person, faults = await Person.at(world), list(FAULTS.values())
    failed = 0
    for number, (method, path) in enumerate(LINES):
        for fault in (faults[number % len(faults)], faults[(5 * number + 7) % len(faults)]):
            with broken(world, fault, monkeypatch):
                answer = await person.ask(method, path, FIELDS)
            failed += answer.status_code == 500
            if answer.status_code >= 500:
                assert not singing(answer.text, *person.secrets), (method, path)
    written = said()
    assert failed > len(LINES)
    assert written.count('"unexpected"') >= failed
    assert not singing(written, *person.secrets)
