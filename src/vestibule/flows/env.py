"""The environment that every flow is given: rules, clock, ports, and what this process remembers."""

import asyncio
from dataclasses import dataclass, field

from vestibule.crypto.seal import Seal
from vestibule.model.clock import Clock, NoOtherClock, OtherClock
from vestibule.model.letters import Mailer
from vestibule.model.limits import Limiter
from vestibule.model.policy import Policy
from vestibule.model.revocations import Revocation, WakeUps
from vestibule.model.sessions import SessionReplica
from vestibule.model.signing_keys import KeyManager
from vestibule.model.store import Store
from vestibule.process.niced_threads import NicedThreads
from vestibule.protocol.tasks import SharedWork
from vestibule.state.feed import Feed
from vestibule.state.key_ring import KeyRing
from vestibule.state.memory import CallerMemory, Found
from vestibule.state.passwords import Passwords
from vestibule.state.readiness import Readiness
from vestibule.state.revocation_set import RevocationSet
from vestibule.state.role_book import RoleBook


@dataclass(frozen=True)
class Env:
    """What one process works with.

    `watching` is the same store over connections of its own, for background reads, so that a busy process still learns
    of log-outs. `signing` has the low-priority threads that sign tokens. `key_manager` is None if the keys are given by
    settings. `seal` encrypts secrets of authenticator apps; None if the installation has no secret to do so.
    `look_ups` are the look-ups of sessions in progress, by the session's id and the generation of `revocations`.
    `letters_waiting` wakes the process's own mail worker.
    """

    policy: Policy
    clock: Clock
    store: Store
    watching: Store
    keys: KeyRing
    key_manager: KeyManager | None
    seal: Seal | None
    passwords: Passwords
    signing: NicedThreads
    replica: SessionReplica
    wake_ups: WakeUps
    limiter: Limiter
    mailer: Mailer
    revocations: RevocationSet
    memory: CallerMemory
    feed: Feed
    look_ups: SharedWork[tuple[str, int], Found | None] = field(default_factory=SharedWork)
    database_clock: OtherClock = field(default_factory=NoOtherClock)
    readiness: Readiness = field(default_factory=Readiness)
    roles: RoleBook = field(default_factory=RoleBook)
    letters_waiting: asyncio.Event = field(default_factory=asyncio.Event)

    def apply_revocations(self, revocations: list[Revocation], sent_at: float) -> list[Revocation]:
        """Add revocations to this process's set, drop what it remembers of their subjects, and publish them to the
        services that follow. Return those that were new. `sent_at`: when the database was asked for them, in monotonic
        seconds.
        """
        fresh = self.revocations.add(revocations, sent_at)
        for revocation in fresh:
            self.memory.drop(revocation)
        self.feed.publish(fresh)
        return fresh
