"""What every flow is handed: the rules, the clock, and the ports to the world."""

import asyncio
from dataclasses import dataclass, field

from vestibule.crypto.niced_threads import NicedThreads
from vestibule.model.clock import Clock
from vestibule.model.letters import Post
from vestibule.model.passwords import Passwords
from vestibule.model.policy import Policy
from vestibule.model.sessions import Mirror
from vestibule.model.signing_keys import KeyRing
from vestibule.model.store import Store


@dataclass(frozen=True)
class Env:
    """One process's view of the world. `letters_waiting` wakes the process's own mail worker."""

    policy: Policy
    clock: Clock
    store: Store
    keys: KeyRing
    passwords: Passwords
    signing: NicedThreads
    mirror: Mirror
    post: Post
    letters_waiting: asyncio.Event = field(default_factory=asyncio.Event)
