"""What every flow is handed: the rules, the clock, the ports to the world, and what this process remembers."""

import asyncio
from dataclasses import dataclass, field

from vestibule.model.clock import Clock, NoOtherClock, OtherClock
from vestibule.model.letters import Mailer
from vestibule.model.limits import Limiter
from vestibule.model.policy import Policy
from vestibule.model.revocations import Revocation, WakeUps
from vestibule.model.sessions import SessionReplica
from vestibule.model.signing_keys import KeyManager
from vestibule.model.store import Store
from vestibule.process.niced_threads import NicedThreads
from vestibule.state.feed import Feed
from vestibule.state.key_ring import KeyRing
from vestibule.state.memory import Memory
from vestibule.state.passwords import Passwords
from vestibule.state.readiness import Readiness
from vestibule.state.revocation_set import RevocationSet


@dataclass(frozen=True)
class Env:
    """One process's view of the world. `letters_waiting` wakes the process's own mail worker.

    `watching` is the same store over connections of its own, so that a busy process still hears of log-outs.
    `key_manager` is None where the keys are given by settings.
    """

    policy: Policy
    clock: Clock
    store: Store
    watching: Store
    keys: KeyRing
    key_manager: KeyManager | None
    passwords: Passwords
    signing: NicedThreads
    replica: SessionReplica
    wake_ups: WakeUps
    limiter: Limiter
    mailer: Mailer
    revocations: RevocationSet
    memory: Memory
    feed: Feed
    database_clock: OtherClock = field(default_factory=NoOtherClock)
    readiness: Readiness = field(default_factory=Readiness)
    letters_waiting: asyncio.Event = field(default_factory=asyncio.Event)

    def learn(self, backlog: list[Revocation], sent_at: float) -> list[Revocation]:
        """Take revocations in, drop what they made untrue, and hand them on to the services that follow; return those
        that were new.
        """
        fresh = self.revocations.learn(backlog, sent_at)
        for revocation in fresh:
            self.memory.drop(revocation)
        self.feed.publish(fresh)
        return fresh
