"""One table: a row for each face that checks tokens, a column for each promise about tokens, cookies and revocations.

The rows are the server's own API and every framework of the kit. All of them are given tokens by the same key, and each
promise is tried on all, because each reads requests in its own way.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
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
from tests.stories.hostile.tokens import hostile_tokens
from tests.unit.client.asking import ORIGIN, Ask
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
EVERY_NTH_HOSTILE = 9


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
Promise = Callable[[Face], Awaitable[None]]
PROMISES: dict[str, Promise] = {}


def promise(made: Promise) -> Promise:
    """One column."""
    PROMISES[made.__name__] = made
    return made


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


@promise
async def a_good_token_is_the_caller_by_header_and_by_cookie(face: Face) -> None:
    text = token(face)
    await let_in(face, bearer(text))
    await let_in(face, cookie(f"access_token={text}"))
    await let_in(face, {"Authorization": f"bearer\t {text} "})


@promise
async def nobody_comes_after_somebody(face: Face) -> None:
    """K3: the next request of the same client, thread and application is nobody's."""
    await let_in(face, bearer(token(face)))
    answer = await refused(face, {}, NOBODY)
    assert answer.headers["www-authenticate"] == 'Bearer realm="vestibule"'


@promise
async def a_bad_token_is_refused_in_the_same_words(face: Face) -> None:
    now = int(face.clock.now().timestamp())
    for wrong in (
        {"exp": now - 31, "iat": now - 900},
        {"iat": now + 31, "exp": now + 931},
        {"nbf": now + 31},
        {"nbf": "soon"},
        {"exp": now + 3601},
        {"iss": "another"},
        {"aud": ["vestibule"]},
        {"sid": ""},
        {"email_verified": "yes"},
    ):
        answer = await refused(face, bearer(token(face, **wrong)), INVALID)
        assert answer.headers["www-authenticate"] == 'Bearer realm="vestibule", error="invalid_token"'


@promise
async def no_hostile_token_is_taken(face: Face) -> None:
    table = hostile_tokens(good(face), "http://127.0.0.1:1")
    sendable = {
        name: text for name, text in table.items() if text.isprintable() and text.isascii() and len(text) < 4000
    }
    for name, text in list(sendable.items())[::EVERY_NTH_HOSTILE]:
        if "role" not in name and "," not in text:  # which WSGI could not tell from two headers
            answer = await face.ask("GET", bearer(text))
            assert answer.status_code == 401, name


@promise
async def not_before_is_kept_by_memory_too(face: Face) -> None:
    now = int(face.clock.now().timestamp())
    early = token(face, nbf=now + 40)
    await refused(face, bearer(early), INVALID)
    face.clock.advance(seconds=10)
    face.hear()
    await let_in(face, bearer(early))
    face.clock.advance(seconds=-10)
    await refused(face, bearer(early), INVALID)


@promise
async def a_token_that_is_remembered_ends_when_it_says(face: Face) -> None:
    now = int(face.clock.now().timestamp())
    short = token(face, exp=now + 60)
    await let_in(face, bearer(short))
    face.clock.advance(seconds=89)
    face.hear()
    await let_in(face, bearer(short))
    face.clock.advance(seconds=1)
    face.hear()
    await refused(face, bearer(short), INVALID)


@promise
async def a_session_that_ended_is_refused_however_well_it_is_remembered(face: Face) -> None:
    text = token(face)
    await let_in(face, bearer(text))
    face.end_session()
    answer = await refused(face, bearer(text), OVER)
    assert answer.headers["www-authenticate"] == 'Bearer realm="vestibule", error="invalid_token"'
    await refused(face, cookie(f"access_token={text}"), OVER)
    await refused(face, bearer(token(face, jti="j2")), OVER)


@promise
async def an_account_is_refused_up_to_a_moment(face: Face) -> None:
    now = int(face.clock.now().timestamp())
    text = token(face, iat=now - 10)
    await let_in(face, bearer(text))
    face.end_account(now)
    await refused(face, bearer(text), OVER)
    await let_in(face, bearer(token(face, iat=now)))


@promise
async def a_withdrawn_key_vouches_for_nothing(face: Face) -> None:
    """K2: not from memory either."""
    text = token(face)
    await let_in(face, bearer(text))
    face.withdraw_keys()
    await refused(face, bearer(text), INVALID)


@promise
async def a_key_that_the_feed_stops_to_list_vouches_for_nothing(face: Face) -> None:
    """K8: at once, without a fetch; and where nothing is known of any key, it is not known who is calling."""
    text, heard = token(face), jwk.generate(algorithm="ES256").public
    face.keep_also(heard)
    await let_in(face, bearer(text))
    face.list_keys(SIGNING.kid, heard.kid)
    await let_in(face, bearer(text))
    face.list_keys(heard.kid)
    await refused(face, bearer(text), INVALID)
    await refused(face, cookie(f"access_token={text}"), INVALID)
    await refused(face, bearer(token(face, jti="j2")), INVALID)


@promise
async def two_cookies_are_none(face: Face) -> None:
    mine, his = token(face), token(face, jti="j2")
    for pairs in ((f"access_token={mine}", f"access_token={his}"), (f"access_token={his}", f"access_token={mine}")):
        await refused(face, cookie(*pairs), NOBODY)
    await let_in(face, cookie(f"access_token={mine}", f"access_token={mine}"))


@promise
async def what_else_is_in_the_cookie_header_does_not_matter(face: Face) -> None:
    text = token(face)
    for other in (
        'broken="',
        "a b=c d",
        "=",
        "{}",
        "nothing",
        'q="\\"; x',
        "[]=1",
        "access_token",
        "ACCESS_TOKEN=x",
    ):
        for pairs in ((other, f"access_token={text}"), (f"access_token={text}", other)):
            header = "; ".join(pairs).encode("latin-1")
            await let_in(face, [(b"Cookie", header)])
    await refused(face, cookie(f'access_token="{text}"'), INVALID)
    await refused(face, cookie(f"__Host-access_token={text}"), NOBODY)


@promise
async def the_header_goes_first_and_there_is_one(face: Face) -> None:
    text = token(face)
    by_cookie = cookie(f"access_token={text}")
    await refused(face, {**by_cookie, **bearer("x.y.z")}, INVALID)
    await refused(face, {**by_cookie, "Authorization": "Bearer "}, NOBODY)
    await let_in(face, {**by_cookie, "Authorization": "Basic YTpi"})
    twice = [(b"Authorization", f"Bearer {text}".encode())] * 2
    await refused(face, twice, "ambiguous_credential", status=400)


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


@pytest.mark.parametrize("kept", PROMISES.values(), ids=PROMISES)
@pytest.mark.parametrize("face", FACES, indirect=True)
async def test_k1_every_promise_is_kept_by_every_face(face: Face, kept: Promise) -> None:
    """K1, K2, K3, K8, T5, T6, T9, T13, T15, S5: all of them, at the server and in every framework."""
    await kept(face)


@pytest.mark.parametrize("face", PATHS, indirect=True)
async def test_a_live_session_with_another_account_is_refused_each_time(face: Server) -> None:
    """By memory too, where both the token and the session are known."""
    await let_in(face, bearer(token(face)))
    strange = bearer(token(face, sub="c9f0f895-fb98-4b91-9d3c-000000000000"))
    for _ in range(3):
        await refused(face, strange, OVER)
    await let_in(face, bearer(token(face)))


every_kit = pytest.mark.parametrize("face", SERVICES, indirect=True)


@every_kit
async def test_k1_what_is_too_old_to_be_relied_on_is_said_to_come_back_for(face: Kit) -> None:
    text, over = token(face), token(face, sid="over")
    await let_in(face, bearer(text))
    face.memory.revoked.learn({"sessions": {"over": 960}}, face.clock.monotonic())
    face.clock.advance(seconds=STALENESS + 0.1)
    answer = await refused(face, bearer(text), "cannot_tell", status=503)
    assert answer.headers["retry-after"] == "1"
    await refused(face, bearer(over), OVER)


@every_kit
async def test_k4_with_a_cookie_another_site_changes_nothing_and_opens_no_websocket(
    face: Kit, request: pytest.FixtureRequest
) -> None:
    async def opens_none(headers: dict[str, str]) -> None:
        if "flask" in request.node.name:  # where Werkzeug routes no websocket to a view, for any caller
            assert (await face.ask("GET", headers)).status_code == 400
        else:
            await refused(face, headers, "cross_site", status=403)

    text = token(face)
    by_cookie = cookie(f"access_token={text}")
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    for said in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.service"},
        {},
    ):
        await refused(face, {**by_cookie, **said}, "cross_site", status=403, method="POST")
        await opens_none({**by_cookie, **said, **upgrade})
        await let_in(face, {**by_cookie, **said})
        await let_in(face, {**bearer(text), **said}, "POST")
    for said in ({"Origin": "http://service"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": ORIGIN}):
        await let_in(face, {**by_cookie, **said}, "POST")
        if "flask" not in request.node.name:
            await let_in(face, {**by_cookie, **said, **upgrade})


@every_kit
async def test_k4_a_page_of_this_host_that_came_by_another_scheme_is_another_site(face: Kit) -> None:
    def by_tls(address: str, **how: Any) -> httpx.Response:
        return face.service(f"https://service{address}", **how)

    by_cookie = cookie(f"access_token={token(face)}")
    for ask, origin, status in (
        (face.service, "http://service", 200),
        (face.service, "https://service", 200),  # TLS may end at a proxy
        (face.service, "evil://service", 403),
        (face.service, "service", 403),
        (face.service, "://service", 403),
        (by_tls, "https://service", 200),
        (by_tls, "http://service", 403),
        (by_tls, ORIGIN, 200),
    ):
        answer = await asyncio.to_thread(ask, "/me", method="POST", headers={**by_cookie, "Origin": origin})
        assert answer.status_code == status, (ask, origin)


@every_kit
async def test_cookie_headers_that_a_server_joined_by_a_comma_name_nobody(face: Kit) -> None:
    """As gunicorn, uWSGI and waitress do; nobody can tell where one cookie ends."""
    text = token(face)
    await refused(face, cookie(f"a=b, access_token={text}"), NOBODY)
    await refused(face, cookie(f"access_token={text}, a=b"), INVALID)
