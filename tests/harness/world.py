"""Run a Vestibule inside the test's process. Everything is real, except the clock, and letters that are not sent."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from tests.harness import backends
from tests.harness.applications import application
from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.compiled import share_compiled
from tests.harness.mailer import CatchingMailer
from vestibule.crypto import jwk
from vestibule.crypto.entropy import new_id
from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.crypto.relying_party import RelyingParty
from vestibule.crypto.seal import Seal
from vestibule.flows.deliver import deliver_next
from vestibule.flows.env import Env
from vestibule.flows.follow_revocations import read_whole_backlog
from vestibule.flows.open_key_ring import open_key_ring
from vestibule.model.access_tokens import Issuer
from vestibule.model.clock import SystemClock
from vestibule.model.letters import LetterKind
from vestibule.model.limits import LetterLimits, NetworkLimits, RateClass
from vestibule.model.login_attempts import LoginAttemptLimits
from vestibule.model.passwords import PasswordRules
from vestibule.model.policy import Policy
from vestibule.model.session_limits import SessionLimits
from vestibule.model.signing_keys import REFRESH_ALGORITHM, KeyManager, KeySet
from vestibule.process.niced_threads import NicedThreads
from vestibule.state.feed import Feed
from vestibule.state.key_ring import KeyRing
from vestibule.state.memory import CallerMemory
from vestibule.state.passwords import Passwords
from vestibule.state.revocation_set import RevocationSet
from vestibule.storage import limiter
from vestibule.storage.absent.replica import NoSessionReplica
from vestibule.storage.absent.wake_ups import NoWakeUps
from vestibule.storage.redis import replica as redis_replica
from vestibule.storage.redis.limiter import on_redis
from vestibule.storage.redis.replica import RedisSessionReplica
from vestibule.storage.sql import engine
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.store import SqlStore
from vestibule.storage.sql.timeouts import DatabaseTimeouts
from vestibule.web.web_policy import WebPolicy

FRONT_END = "http://localhost:3000"
BASE = "http://localhost:8000"

# As in production, except for the cost of a hash, which would be most of the suite's time.
POLICY = Policy(
    issuer=Issuer("vestibule", "vestibule", timedelta(seconds=30)),
    access_lifetime=timedelta(minutes=15),
    sessions=SessionLimits(idle=timedelta(hours=1), absolute=timedelta(days=30), refresh_grace=timedelta(seconds=10)),
    passwords=PasswordRules(),
    verification_mandatory=False,
    revocation_staleness=timedelta(seconds=5),
    link_base=FRONT_END,
    own_base=BASE,
    language="en",
    login_attempts=LoginAttemptLimits(),
    networks=NetworkLimits(dict.fromkeys(RateClass, 1_000_000)),
    letters=LetterLimits.per_hour(to_email=10_000, for_network=10_000),
    conceal_accounts=False,
    email_codes=True,
    relying_party=RelyingParty("localhost", "Vestibule", (BASE, FRONT_END)),
)
WEB = WebPolicy(origins=frozenset({FRONT_END}), secure_cookies=False, interactive_docs=True)
SEAL = Seal("what the secrets of authenticator apps are sealed under")
CHEAP = Argon2id(memory_kib=64, iterations=1)
# Long, so that a busy machine changes no answer. Tests of timeouts set shorter ones.
TIMEOUTS = DatabaseTimeouts(for_connection=30, to_connect=30, for_statement=30, for_transaction=60)


@cache
def key_ring() -> KeyRing:
    """Return keys of the kinds that a first start makes, with RSA of the smallest allowed size. They are made once."""
    refresh = jwk.generate(algorithm=REFRESH_ALGORITHM)
    return KeyRing(access=KeySet.of(jwk.generate(2048)), refresh=KeySet.of(refresh))


@cache
def given_key_ring() -> KeyRing:
    """Return keys as the contract's four JWT_… settings have them: RSA for both uses. They are made once."""
    return KeyRing(access=key_ring().access, refresh=KeySet.of(jwk.generate(2048)))


@dataclass
class World:
    """A running Vestibule, with the parts that a test controls."""

    env: Env
    app: ASGIApp
    clock: ManualClock
    mailer: CatchingMailer
    engines: Engines
    backend: Backend
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)

    async def client(self, origin: str | None = FRONT_END) -> httpx.AsyncClient:
        """Return a new client with an empty cookie jar. None as `origin` sends no Origin header."""
        transport = httpx.ASGITransport(self.app, client=("192.0.2.7", 4711))
        headers = {"Origin": origin} if origin else {}
        client = httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)
        return await self._stack.enter_async_context(client)

    async def deliver(self) -> None:
        """Deliver every letter that is due."""
        while await deliver_next(self.env):
            pass

    async def register(self, email: str = "ada@example.com", password: str = "correct horse") -> None:
        """Register somebody new, and deliver their letter."""
        body = {"name": "Ada Lovelace", "email": email, "password": password, "passwordConfirm": password}
        answer = await (await self.client()).post("/api/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        await self.deliver()

    async def sign_in(self, email: str = "ada@example.com", password: str = "correct horse") -> httpx.AsyncClient:
        """Return a new client that is signed in."""
        client = await self.client()
        answer = await client.post("/api/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        return client

    async def take_database_away(self) -> None:
        """Remove the database for good: connections break, and new ones are refused."""
        await self.engines.close()
        if self.engines.dialect == "sqlite":
            backends.replace_by_folder(Path(self.backend.database_url.removeprefix("sqlite:///")))
        else:
            await backends.drop(self.backend.database_url)

    def secret(self, kind: LetterKind) -> str:
        """Return the secret in the link of the newest letter of a kind."""
        return self.mailer.secret(kind)


@asynccontextmanager
async def world_on(
    backend: Backend,
    policy: Policy = POLICY,
    web: WebPolicy = WEB,
    hasher: Hasher | None = None,
    pool_size: int = 10,
    timeouts: DatabaseTimeouts = TIMEOUTS,
    key_manager: KeyManager | None = None,
    clock: ManualClock | None = None,
    redis_seconds: float = 60,
) -> AsyncIterator[World]:
    """Yield a Vestibule on this backend, and close it after the block. With a key manager, its keys are in the
    database. Two worlds may share a clock. `redis_seconds` is the timeout of Redis: long, so that a busy machine
    changes no count and hides no session.
    """
    clock = clock or ManualClock()
    async with AsyncExitStack() as stack:
        engines = engine.connect(backend.database_url, pool_size, timeouts)
        share_compiled(engines)
        stack.push_async_callback(engines.close)
        replica: NoSessionReplica | RedisSessionReplica = NoSessionReplica()
        # The limiter's windows use real time, because the library has no other clock.
        counting = limiter.in_memory(SystemClock())
        if backend.redis_url:
            redis = await stack.enter_async_context(
                redis_replica.connect(backend.redis_url, redis_seconds, redis_seconds)
            )
            replica = RedisSessionReplica(redis, clock)
            counting = on_redis(redis, SystemClock(), prefix=new_id())
        threads = NicedThreads(threads=2, waiting=10_000)
        stack.callback(threads.close)
        mailer = CatchingMailer(clock)
        store = SqlStore(engines)
        env = Env(
            policy=policy,
            clock=clock,
            store=store,
            watching=store,
            keys=await open_key_ring(store, clock, key_manager) if key_manager else key_ring(),
            key_manager=key_manager,
            seal=key_manager.seal if key_manager else SEAL,
            passwords=Passwords(hasher or Hasher(CHEAP), threads),
            signing=threads,
            replica=replica,
            wake_ups=NoWakeUps(),
            limiter=counting,
            mailer=mailer,
            revocations=RevocationSet(policy.revocation_staleness.total_seconds()),
            memory=CallerMemory(size=1000),
            feed=Feed(most=3),
        )
        await read_whole_backlog(env)
        app = stack.enter_context(application(env, web, mailer.renderer))
        yield World(env, app, clock, mailer, engines, backend, stack)


def mandatory_verification() -> Policy:
    """Return the policy under which nobody can sign in before their email is verified."""
    return replace(POLICY, verification_mandatory=True)
