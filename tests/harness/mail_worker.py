"""Run a mail worker in another process, on a clock that is ahead, so that the leases of killed workers are over."""

import asyncio
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

from tests.harness.mail_server import HOST
from tests.harness.mailer import BRAND
from tests.harness.world import CHEAP, POLICY, key_ring
from vestibule.crypto.passwords import Hasher
from vestibule.flows.deliver import deliver_next
from vestibule.flows.env import Env
from vestibule.mail.letters import Renderer, Sender
from vestibule.mail.smtp import Server, SmtpMailer
from vestibule.model.clock import Clock
from vestibule.process.niced_threads import NicedThreads
from vestibule.state.feed import Feed
from vestibule.state.memory import CallerMemory
from vestibule.state.passwords import Passwords
from vestibule.state.revocation_set import RevocationSet
from vestibule.storage import limiter
from vestibule.storage.absent.replica import NoSessionReplica
from vestibule.storage.absent.wake_ups import NoWakeUps
from vestibule.storage.sql import engine
from vestibule.storage.sql.store import SqlStore

KEYS = key_ring()  # made once, in the process from which the workers are forked
_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


class ClockAt:
    """A `model.clock.Clock` that always shows the same time."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()


def start_worker(database_url: str, port: int, now: datetime, looks: int = 1) -> ForkServerProcess:
    """Start a process that delivers to the mail server on this port until nothing is due: `looks` times, each a second
    later by its clock. Return the process.
    """
    process = _FORKS.Process(target=_work, args=(database_url, port, now, looks), daemon=True)
    process.start()
    return process


def _work(database_url: str, port: int, now: datetime, looks: int) -> None:
    asyncio.run(_deliver(database_url, port, now, looks))


async def _deliver(database_url: str, port: int, now: datetime, looks: int) -> None:
    engines = engine.connect(database_url)
    try:
        for look in range(looks):
            env = _env(SqlStore(engines), port, ClockAt(now + look * timedelta(seconds=1)))
            while await deliver_next(env):
                pass
    finally:
        await engines.close()


def _env(store: SqlStore, port: int, clock: Clock) -> Env:
    threads = NicedThreads(threads=1, waiting=1)
    renderer = Renderer(Sender("Vestibule", "no-reply@vestibule.example"), BRAND, clock)
    return Env(
        policy=POLICY,
        clock=clock,
        store=store,
        watching=store,
        keys=KEYS,
        key_manager=None,
        seal=None,
        passwords=Passwords(Hasher(CHEAP), threads),
        signing=threads,
        replica=NoSessionReplica(),
        wake_ups=NoWakeUps(),
        limiter=limiter.in_memory(clock),
        mailer=SmtpMailer(Server(HOST, port, "none"), renderer),
        revocations=RevocationSet(1),
        memory=CallerMemory(size=1),
        feed=Feed(most=1),
    )
