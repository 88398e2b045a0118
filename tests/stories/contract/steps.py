"""What a row is made of: who sends what, and the scene in which it happens."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from tests.harness.world import FRONT_END, POLICY, WEB, World
from tests.stories.contract.answers import Expect, check, check_forbidden, filled
from vestibule.model.policy import Policy
from vestibule.web.web_policy import WebPolicy

ADA = "ada@example.com"
BOB = "bob@example.com"
PASSWORD = "correct horse"
NEW_PASSWORD = "battery staple"


@dataclass(frozen=True)
class Send:
    """One request. `by` names the browser whose cookies go with it, unless `cookie` says what does."""

    method: str
    path: str
    content: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    by: str = "tab"
    origin: str | None = FRONT_END
    cookie: str | None = None
    chunked: bool = False

    def with_headers(self, **headers: str) -> "Send":
        """The same with more headers; `_` in a name stands for `-`."""
        more = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return replace(self, headers=self.headers + more)


@dataclass
class Scene:
    """A world, the browsers in it, what was noted on the way, and what is nobody else's business."""

    world: World
    client: httpx.AsyncClient
    notes: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=lambda: {PASSWORD})
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    @classmethod
    async def on(cls, world: World) -> "Scene":
        """Nobody has done anything yet."""
        return cls(world, await world.client(origin=None))

    def apart(self) -> "Scene":
        """The same, with copies of the browsers, so that what one row does to its cookies is no other's."""
        return replace(self, cookies={by: dict(jar) for by, jar in self.cookies.items()})

    async def send(self, send: Send) -> httpx.Response:
        """The answer; its cookies go to the browser that asked."""
        self.secrets |= _passwords_in(send.content)
        content = _in_chunks(send.content) if send.chunked and send.content else send.content
        path = filled(send.path, self.notes)
        answer = await self.client.request(send.method, path, content=content, headers=self._headers(send))
        self.client.cookies.clear()
        self._store(answer, send.by)
        return answer

    def _headers(self, send: Send) -> list[tuple[str, str]]:
        jar = self.cookies.get(send.by, {})
        cookie = "; ".join(f"{name}={value}" for name, value in jar.items()) if send.cookie is None else send.cookie
        headers = [("Origin", send.origin or ""), ("Cookie", cookie), *send.headers]
        return [(name, filled(value, self.notes)) for name, value in headers if value or name == "Authorization"]

    def _store(self, answer: httpx.Response, by: str) -> None:
        jar = self.cookies.setdefault(by, {})
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            jar[name] = value
            if not value:
                del jar[name]
            elif name != "logged_in":
                self.tokens.add(value)


Happening = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Step:
    """A request and the whole of its answer."""

    send: Send
    expect: Expect

    async def __call__(self, scene: Scene) -> None:
        answer = await scene.send(self.send)
        check(answer, self.expect.filled(scene.notes), self.send.origin, scene.world.clock.now())
        check_forbidden(answer, self.expect, scene.secrets)


@dataclass(frozen=True)
class Setup:
    """What the operator chose."""

    policy: Policy = POLICY
    web: WebPolicy = WEB


@dataclass(frozen=True)
class Row:
    """One sentence of the contract."""

    name: str
    send: Send
    expect: Expect
    given: tuple[Happening, ...] = ()
    then: tuple[Happening, ...] = ()
    under: Setup = Setup()

    @property
    def happenings(self) -> tuple[Happening, ...]:
        return (*self.given, Step(self.send, self.expect), *self.then)


async def play(row: Row, scene: Scene) -> None:
    """Everything the row says, in its order."""
    for happening in row.happenings:
        await happening(scene)


def get(path: str, **how: Any) -> Send:
    return Send("GET", path, **how)


def head(path: str, **how: Any) -> Send:
    return Send("HEAD", path, **how)


def post(path: str, body: Any = None, **how: Any) -> Send:
    return _sending("POST", path, body, **how)


def patch(path: str, body: Any = None, **how: Any) -> Send:
    return _sending("PATCH", path, body, **how)


def _sending(method: str, path: str, body: Any, kind: str = "application/json", **how: Any) -> Send:
    """`body` as JSON, or as it stands where it is bytes."""
    if body is None:
        return Send(method, path, **how)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Send(method, path, content, headers=(("Content-Type", kind),) if kind else (), **how)


def twice(password: str) -> dict[str, str]:
    """A new password, as it is typed."""
    return {"password": password, "passwordConfirm": password}


def login(email: str = ADA, password: str = PASSWORD, **how: Any) -> Send:
    return post("/api/auth/login", {"email": email, "password": password}, **how)


def bearer(send: Send, token: str) -> Send:
    """The same, with an access token in its header."""
    return send.with_headers(Authorization=f"Bearer {token}")


async def _in_chunks(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def _passwords_in(content: bytes | None) -> set[str]:
    try:
        body: Any = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return set()
    if not isinstance(body, Mapping):
        return set()
    return {body[name] for name in ("password", "passwordConfirm") if isinstance(body.get(name), str) and body[name]}
