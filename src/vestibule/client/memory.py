"""What a service knows: keys, revocations, and the tokens it has seen. Decides by that alone, without any I/O."""

import hashlib
import threading
from collections.abc import Mapping
from typing import Literal

from vestibule.client.caller import Caller
from vestibule.client.errors import CannotTellError, KeyUnknownError, SessionOverError, TokenInvalidError
from vestibule.crypto import jws
from vestibule.crypto.jwk import PublicKey
from vestibule.model.clock import Clock
from vestibule.protocol import access_tokens
from vestibule.protocol.claims import Expected
from vestibule.protocol.clocks import Clocks
from vestibule.protocol.revocations import Revoked

Policy = Literal["refuse", "ask", "accept"]
_UNSEEN = Caller("", "", "", 0, 0, {})


class Memory:
    """Bounded: the oldest token makes room for a new one, which is also the one that expires first."""

    def __init__(self, expected: Expected, policy: Policy, staleness: float, remembered: int, clock: Clock) -> None:
        self.keys: Mapping[str, PublicKey] = {}
        self.revoked = Revoked()
        self.clocks = Clocks()
        self._expected = expected
        self._policy = policy
        self._staleness = staleness
        self._remembered = remembered
        self._clock = clock
        self._callers: dict[bytes, Caller | None] = {}
        self._dropped = False
        self.begin()

    def begin(self) -> None:
        """As at first, and in the child of a fork, where the lock may be one that nobody will open."""
        self._filling = threading.Lock()

    def drop(self) -> None:
        """Know nothing that lets anybody in. What refuses somebody stays: it was true, and remains so."""
        self.keys = {}
        self.revoked.fresh_as_of = float("-inf")
        self._dropped = True

    @property
    def heard(self) -> bool:
        """Whether all revocations up to some moment are known."""
        return self.revoked.fresh_as_of > float("-inf")

    def decide(self, token: str) -> Caller:
        """The caller; raises `TokenInvalidError`, `SessionOverError`, or `CannotTellError` where the policy says so."""
        # Whatever the policy: by a wrong clock a token is good that expired long ago and whose revocation is forgotten.
        if not self.clocks.agree(self._clock.now().timestamp(), self._clock.monotonic()):
            raise CannotTellError
        caller = self._read(token)
        if self.revoked.refuses(caller.session, caller.id, caller.issued):
            raise SessionOverError
        # Compared on every check: a process that was stopped for a while must notice on its first answer.
        # However old it may be, it is something that was heard, by this process itself.
        if self.age() > self._staleness and not (self._policy == "accept" and (self.heard or not self._dropped)):
            raise CannotTellError
        return caller

    def age(self) -> float:
        """Seconds since the moment up to which all revocations are known."""
        return self.revoked.age(self._clock.monotonic())

    def end(self, token: str) -> None:
        """Refuse a token that was read here from now on: Vestibule was asked, and has said that it is worth nothing."""
        digest = _digest(token)
        with self._filling:
            if digest in self._callers:
                self._callers[digest] = None

    def _read(self, token: str) -> Caller:
        """What the token says, by memory or by its signature."""
        now, digest = self._clock.now().timestamp(), _digest(token)
        caller = self._callers.get(digest, _UNSEEN)
        if caller is None:
            raise SessionOverError
        # Not by memory alone: the key that signed it may have been withdrawn since, and its time passed.
        if caller is not _UNSEEN and access_tokens.still_good(caller, self.keys, self._expected.leeway, now):
            return caller
        if not self.keys:
            raise CannotTellError
        caller = self._checked(token, now)
        self._keep(digest, caller)
        return caller

    def _checked(self, token: str, now: float) -> Caller:
        try:
            return Caller.of(*access_tokens.read(token, self.keys, self._expected, now))
        except jws.InvalidToken:
            kid = jws.key_id(token)
            raise (TokenInvalidError if kid is None or kid in self.keys else KeyUnknownError) from None

    def _keep(self, digest: bytes, caller: Caller) -> None:
        with self._filling:
            if len(self._callers) >= self._remembered and digest not in self._callers:
                del self._callers[next(iter(self._callers))]
            self._callers[digest] = caller


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
