"""Decide about tokens in memory, without I/O, from the known keys, revocations and tokens seen before."""

import hashlib
import threading
from collections.abc import Mapping
from typing import Literal

from vestibule.client.caller import Caller
from vestibule.client.caller_errors import (
    CallerRefusedError,
    CannotTellError,
    ClocksDifferError,
    KeyUnknownError,
    SessionOverError,
    TokenInvalidError,
)
from vestibule.client.key_listing import KeyListing
from vestibule.client.permission_book import PermissionBook
from vestibule.client.token_clock import TokenClock
from vestibule.crypto import jws
from vestibule.crypto.jwk import PublicKey
from vestibule.model.clock import Clock
from vestibule.protocol import access_tokens
from vestibule.protocol.claims import Expected
from vestibule.protocol.clocks import Clocks
from vestibule.protocol.revocations import Revoked

WhenStale = Literal["refuse", "ask", "accept"]
"""What to do with a valid token while the known revocations are too old."""

LISTED_WITHIN_SECONDS = 5.0
"""By how much a token may be older than the last list of keys, and its key nevertheless be newer than that list. The
feed lists a key before the key signs anything, but Vestibule's clocks may be wrong by up to this much.
"""

_PURGE_EVERY_SECONDS = 60.0
_UNSEEN = Caller("", "", "", 0, 0, {})


class Memory:
    """What a service knows. Remembers at most `remembered` tokens: a new one replaces the oldest, which also expires
    first. Revocations that are older than `staleness` seconds are stale.
    """

    def __init__(
        self, expected: Expected, when_stale: WhenStale, staleness: float, remembered: int, clock: Clock
    ) -> None:
        self.keys: Mapping[str, PublicKey] = {}
        self.keys_as_of = float("-inf")
        """The moment at which the keys were current, in seconds of our monotonic clock."""
        self.listing = KeyListing()
        self.revoked = Revoked()
        self.clocks = Clocks()
        self.permissions = PermissionBook(clock, accepts_stale=when_stale == "accept")
        self.token_clock = TokenClock(expected.leeway, clock, self.clocks)
        self._expected = expected
        self._accepts_stale = when_stale == "accept"
        self._staleness = staleness
        self._remembered = remembered
        self._clock = clock
        self._callers: dict[bytes, Caller | None] = {}  # by the token's digest; None for a token that `end` refused
        self._purged_at = float("-inf")
        self.begin()

    def begin(self) -> None:
        """Make a new lock: at first, and in a forked child, where the parent's lock may be held forever."""
        self._changing = threading.Lock()

    def drop(self) -> None:
        """Drop what lets callers in: keys, permissions, and how recent the revocations are. Revocations stay: they
        remain true.
        """
        self.permissions.drop()
        self.keys = {}
        self.keys_as_of = self.revoked.fresh_as_of = float("-inf")
        self.listing.drop()

    def close(self) -> None:
        """Stop accepting stale revocations, whatever `when_stale` says: no new ones will be heard of."""
        self._accepts_stale = False

    @property
    def heard(self) -> bool:
        """Return whether all revocations up to some moment are known."""
        return self.revoked.fresh_as_of > float("-inf")

    def decide(self, token: str) -> Caller:
        """Return the caller; raises `TokenInvalidError`, `SessionOverError`, `KeyUnknownError`, `ClocksDifferError`,
        and `CannotTellError` without any keys, or if the revocations are stale and `when_stale` does not accept that.
        """
        # Check this first, whatever `when_stale` says: a wrong clock could accept a token that expired long ago, and
        # whose revocation has been purged.
        if not self.clocks.agree(self._clock.now().timestamp(), self._clock.monotonic()):
            raise ClocksDifferError
        caller = self._read(token)
        if self.revoked.refuses(caller.session, caller.id, caller.issued):
            raise SessionOverError
        # Compare the age on every check: a process that was suspended must notice at the first check afterwards.
        # With `accept` the revocations may have any age, but this process must have heard from Vestibule.
        if self.age() > self._staleness and not (self._accepts_stale and self.heard and self._is_listed(caller)):
            raise CannotTellError
        return caller

    def age(self) -> float:
        """Return the seconds since the moment up to which all revocations are known."""
        return self.revoked.age(self._clock.monotonic())

    def _is_listed(self, caller: Caller) -> bool:
        """Return whether the last list of keys has the caller's key, or no list came. A key that the list lacks may be
        new. Or it was withdrawn before this process began, and a cache still has it: only a younger list tells which.
        """
        return self.listing.ids is None or self.listing.lists(caller.key_id)

    def end(self, token: str) -> None:
        """Refuse a remembered token from now on, because introspection has said that it is inactive."""
        digest = _digest(token)
        with self._changing:
            if digest in self._callers:
                self._callers[digest] = None

    def purge(self) -> None:
        """Drop the tokens that have expired, once a minute: otherwise an idle service would hold them for ever."""
        now, monotonic = self._clock.now().timestamp(), self._clock.monotonic()
        if monotonic - self._purged_at < _PURGE_EVERY_SECONDS:
            return
        self._purged_at = monotonic
        expired = [digest for digest, caller in list(self._callers.items()) if self._has_expired(caller, now)]
        with self._changing:
            for digest in expired:
                self._callers.pop(digest, None)

    def _has_expired(self, caller: Caller | None, now: float) -> bool:
        return caller is not None and caller.expires_at + self._expected.leeway <= now

    def _read(self, token: str) -> Caller:
        """Return the caller that a token names, from memory or from the token; raises as `decide` does."""
        now, digest = self._clock.now().timestamp(), _digest(token)
        caller = self._callers.get(digest, _UNSEEN)
        if caller is None:
            raise SessionOverError
        # Check key and time again: since the first check, the key may have been withdrawn, or the token have expired.
        if caller is not _UNSEEN and access_tokens.still_good(caller, self.keys, self._expected.leeway, now):
            return caller
        if not self.keys:
            raise CannotTellError
        caller = self._verify(token, now)
        self._keep(digest, caller)
        return caller

    def _verify(self, token: str, now: float) -> Caller:
        try:
            read = access_tokens.read(token, self.keys, self._expected, now)
            return Caller.of(*read, self.token_clock, self.permissions)
        except jws.InvalidToken:
            raise self._refusal_of(token, now) from None

    def _refusal_of(self, token: str, now: float) -> CallerRefusedError:
        """Return the refusal of a token that cannot be verified: 503 if its key may be new, otherwise 401."""
        kid = jws.key_id(token)
        if kid is None or kid in self.keys:
            return TokenInvalidError()
        if self.listing.withdrew(kid):
            return TokenInvalidError()
        try:
            unverified = access_tokens.read_unverified(token, self._expected, now)
        except jws.InvalidToken:
            return TokenInvalidError()
        listed = self.listing.lists(kid)
        if listed or self._key_may_be_new(unverified.issued_at):
            return KeyUnknownError(listed=listed)
        return TokenInvalidError()

    def _key_may_be_new(self, issued_at: int) -> bool:
        """Return whether the unknown key of a token that was issued at `issued_at` may be younger than the keys known
        here. An older key would be known: every key is listed before it signs.
        """
        known_at = self.keys_as_of if self.listing.ids is None else self.listing.as_of
        now, monotonic = self._clock.now().timestamp(), self._clock.monotonic()
        return issued_at + LISTED_WITHIN_SECONDS > self.clocks.their_time(known_at, now, monotonic)

    def _keep(self, digest: bytes, caller: Caller) -> None:
        with self._changing:
            if len(self._callers) >= self._remembered and digest not in self._callers:
                del self._callers[next(iter(self._callers))]
            self._callers[digest] = caller


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
