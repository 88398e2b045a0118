"""What a service knows: keys, revocations, and the tokens it has seen. Decides by that alone, without any I/O."""

import hashlib
import threading
from collections.abc import Mapping
from typing import Literal

from vestibule.client import claims
from vestibule.client.caller import Caller
from vestibule.client.claims import Expected
from vestibule.client.errors import CannotTell, SessionOver, TokenInvalid
from vestibule.client.revoked import Revoked
from vestibule.crypto.jwk import PublicKey
from vestibule.model.clock import Clock

Policy = Literal["refuse", "ask", "accept"]


class Memory:
    """Bounded: the oldest token makes room for a new one, which is also the one that expires first."""

    def __init__(self, expected: Expected, policy: Policy, staleness: float, remembered: int, clock: Clock) -> None:
        self.keys: Mapping[str, PublicKey] = {}
        self.revoked = Revoked()
        self._expected = expected
        self._policy = policy
        self._staleness = staleness
        self._remembered = remembered
        self._clock = clock
        self._callers: dict[bytes, Caller] = {}
        self._filling = threading.Lock()

    def decide(self, token: str) -> Caller:
        """The caller; raises `TokenInvalid`, `SessionOver`, or `CannotTell` where the policy does not accept that."""
        caller = self._read(token)
        if self.revoked.refuses(caller):
            raise SessionOver
        # Compared on every check: a process that was stopped for a while must notice on its first answer.
        if self.age() > self._staleness and self._policy != "accept":
            raise CannotTell
        return caller

    def age(self) -> float:
        """Seconds since the moment up to which all revocations are known."""
        return self.revoked.age(self._clock.monotonic())

    def _read(self, token: str) -> Caller:
        """What the token says, by memory or by its signature."""
        now = self._clock.now().timestamp()
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        caller = self._callers.get(digest)
        if caller is not None:
            if not claims.in_time(caller, self._expected, now):
                raise TokenInvalid
            return caller
        if not self.keys:
            raise CannotTell
        caller = claims.read(token, self.keys, self._expected, now)
        self._keep(digest, caller)
        return caller

    def _keep(self, digest: bytes, caller: Caller) -> None:
        with self._filling:
            if len(self._callers) >= self._remembered:
                del self._callers[next(iter(self._callers))]
            self._callers[digest] = caller
