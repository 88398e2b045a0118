"""Each face that checks tokens, asked in the same way: every framework of the kit, and the server's own API."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness import backends
from tests.harness.clock import ManualClock
from tests.harness.world import World, key_ring, world_on
from tests.stories.hostile.forgery import Good
from tests.unit.client.asking import Ask
from tests.unit.client.knowing import EXPECTED, STALENESS
from tests.unit.client.test_integrations import SERVICES
from vestibule.client import Caller, Verifier
from vestibule.client.events import Event
from vestibule.client.feed_reader import FeedReader
from vestibule.client.keys import KeySet as FetchedKeys
from vestibule.client.memory import Memory
from vestibule.crypto import jwk
from vestibule.crypto.jwk import PublicKey
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.model.signing_keys import KeySet
from vestibule.protocol.access_tokens import TYP

SIGNING = key_ring().access.signing
INVALID, OVER, NOBODY = "access_token_invalid", "session_over", "not_signed_in"


@dataclass
class Kit:
    """One framework's service, and what it knows."""

    service: Ask
    memory: Memory
    clock: ManualClock
    keys: FetchedKeys
    subject = "8f14e45f-ceea-467f-a3a0-6c2d5e1f4b7a"
    session = "c9f0f895-fb98-4b91-9d3c-0a1b2c3d4e5f"

    async def ask(self, method: str = "GET", headers: Any = ()) -> httpx.Response:
        return await asyncio.to_thread(self.service, "/me", method=method, headers=headers)

    def end_session(self) -> None:
        self.memory.revoked.learn({"sessions": {self.session: 960}}, self.clock.monotonic())

    def end_account(self, not_before: int) -> None:
        self.memory.revoked.learn({"accounts": {self.subject: [not_before, 960]}}, self.clock.monotonic())

    def withdraw_keys(self) -> None:
        stranger = jwk.generate(algorithm="ES256").public
        self.memory.keys = {stranger.kid: stranger}

    def keep_also(self, key: PublicKey) -> None:
        self.keys.by_id = {**key_ring().access.checking, key.kid: key}

    def list_keys(self, *kids: str) -> None:
        """As in a heartbeat."""

        def listed(told: list[str], as_of: float) -> None:
            self.keys.note_listed(told, as_of)
            self.memory.keys = self.keys.in_force

        now = self.clock.monotonic()
        follower = FeedReader(self.memory.revoked, self.clock, lambda: None, on_keys=listed)
        follower._sent_at = now
        follower.handle(Event("hello", {"protocol": 1, "now": now}, None))
        follower.handle(Event("heartbeat", {"true_at": now, "keys": [*kids]}, "1"))

    def hear(self) -> None:
        self.memory.revoked.renew(self.clock.monotonic())


@dataclass
class Server:
    """The server itself, at one of its routes, with somebody who is signed in."""

    world: World
    path: str
    subject: str
    session: str

    @property
    def clock(self) -> ManualClock:
        return self.world.clock

    async def ask(self, method: str = "GET", headers: Any = ()) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self.world.app), base_url="http://service"
        ) as client:
            return await client.request(method, self.path, headers=headers)

    def end_session(self) -> None:
        self._learn(RevocationKind.SESSION, self.session, None)

    def end_account(self, not_before: int) -> None:
        self._learn(RevocationKind.ACCOUNT, self.subject, datetime.fromtimestamp(not_before, UTC))

    def withdraw_keys(self) -> None:
        self.world.env.keys.access = KeySet.of(jwk.generate(algorithm="ES256"))

    def keep_also(self, key: PublicKey) -> None:
        ring = self.world.env.keys
        ring.access = KeySet(ring.access.signing, {**ring.access.checking, key.kid: key})

    def list_keys(self, *kids: str) -> None:
        """As the database does."""
        ring = self.world.env.keys
        kept = {kid: key for kid, key in ring.access.checking.items() if kid in kids}
        if ring.replace(KeySet(ring.access.signing, kept), ring.refresh, ring.key_states):
            self.world.env.memory.drop_tokens()

    def hear(self) -> None:
        self.world.env.revocations.renew(self.clock.monotonic())

    def _learn(self, kind: RevocationKind, subject: str, not_before: datetime | None) -> None:
        now, number = self.clock.now(), self.world.env.revocations.last + 1
        memory = self.world.env.policy.revocation_memory
        self.world.env.apply_revocations(
            [Revocation(now, kind, subject, now + memory, not_before, number)], self.clock.monotonic()
        )


Face = Kit | Server


def good(face: Face) -> Good:
    now = int(face.clock.now().timestamp())
    said = {
        "iss": "vestibule",
        "aud": "vestibule",
        "sub": face.subject,
        "sid": face.session,
        "jti": "j1",
        "role": "user",
    }
    return Good(SIGNING, TYP, {**said, "iat": now, "exp": now + 900, "email_verified": True})


def token(face: Face, **claims: Any) -> str:
    signed = good(face)
    return signed.token(claims={**signed.claims, **claims})


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def cookie(*pairs: str) -> dict[str, str]:
    return {"Cookie": "; ".join(pairs)}


async def let_in(face: Face, headers: Any, method: str = "GET") -> None:
    answer = await face.ask(method, headers)
    assert answer.status_code in {200, 201, 204}, answer.text


async def refused(face: Face, headers: Any, code: str, status: int = 401, method: str = "GET") -> httpx.Response:
    answer = await face.ask(method, headers)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"status", "code", "message"}
    assert (body["status"], body["code"]) == ("error" if status == 503 else "fail", code)
    return answer


FACES = [*SERVICES, "server, me", "server, verify"]
PATHS = {"server, me": "/api/users/me", "server, verify": "/api/auth/verify"}


@pytest.fixture
async def face(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Face]:
    if request.param in SERVICES:
        yield kit(SERVICES[request.param], monkeypatch)
        return
    async with backends.fresh(backends.SQLITE, tmp_path) as backend, world_on(backend) as world:
        await world.register()
        browser = await world.sign_in()
        known = (await browser.get("/api/auth/verify")).headers
        with monkeypatch.context() as keys:
            keys.setattr(world.env.keys, "access", world.env.keys.access)  # shared by all worlds: put back afterwards
            yield Server(world, PATHS[request.param], known["vestibule-user"], known["vestibule-session"])


def kit(service: Callable[[], Ask], monkeypatch: pytest.MonkeyPatch) -> Kit:
    """A service that has just heard a heartbeat, whose verifiers decide by a memory and a clock of this test's."""
    clock = ManualClock()
    memory = Memory(EXPECTED, "refuse", STALENESS, 100, clock)
    memory.keys, memory.keys_as_of = key_ring().access.checking, float("inf")  # a key that is not held is none
    memory.revoked.renew(clock.monotonic())

    def decide(_verifier: Verifier, text: str) -> Caller:
        return memory.decide(text)

    monkeypatch.setattr(Verifier, "_decide", decide)
    monkeypatch.setattr(Verifier, "_may_learn_more", lambda _verifier, _refusal: False)
    return Kit(service(), memory, clock, FetchedKeys(clock, 60, memory.listing))
