"""The public keys, kept fresh: fetched once for everybody who waits, and not often for what is unknown."""

import asyncio
import logging
import re
from collections.abc import Collection, Mapping
from typing import Any

import httpx

from vestibule.client import wire
from vestibule.client.errors import NotReachedError, NotVestibuleError
from vestibule.crypto import jwk
from vestibule.crypto.jwk import PublicKey, UnusableKey
from vestibule.model.clock import Clock
from vestibule.protocol.tasks import together

PATH = "/.well-known/jwks.json"
KEEP_SECONDS = 300.0
"""How long keys are kept where the answer does not say; it says between these two."""

_LEAST_KEEP_SECONDS, _MOST_KEEP_SECONDS = 10, 3600
MAX_KEYS = 64
NEW_KEY_SECONDS = 5.0
"""How long a key that was fetched vouches without being listed: a process that tells of keys may not know it yet."""

_MOST_REMEMBERED = 1000
_MAX_AGE = re.compile(r"\bmax-age=(\d{1,9})\b")
_log = logging.getLogger(__name__)


class KeySet:
    """The keys in force. Read from any thread; fetched in the background's loop only."""

    def __init__(self, clock: Clock, refetch_seconds: float) -> None:
        self.by_id: Mapping[str, PublicKey] = {}
        self.keep_seconds = KEEP_SECONDS
        self._clock = clock
        self._refetch_seconds = refetch_seconds
        self._asked_at = float("-inf")
        self._under_way: asyncio.Task[None] | None = None
        self._listed: frozenset[str] | None = None
        self._ever_listed: set[str] = set()
        self._seen_at: dict[str, float] = {}

    @property
    def in_force(self) -> Mapping[str, PublicKey]:
        """The keys that vouch now: those that were fetched, without what the feed has stopped to list."""
        if self._listed is None:  # by a Vestibule of a version that lists none
            return self.by_id
        return {kid: key for kid, key in self.by_id.items() if kid in self._listed or self._is_new(kid)}

    def hear(self, listed: Collection[str]) -> bool:
        """The feed has listed the keys in force; whether these are others than before, a reason to fetch them."""
        before, self._listed = self._listed, frozenset(listed)
        if len(self._ever_listed) > _MOST_REMEMBERED:
            self._ever_listed.clear()
        self._ever_listed |= self._listed
        return before is not None and before != self._listed

    def _is_new(self, kid: str) -> bool:
        age = self._clock.monotonic() - self._seen_at.get(kid, float("-inf"))
        return kid not in self._ever_listed and age < NEW_KEY_SECONDS

    def may_refetch(self) -> bool:
        """Whether an unknown key is a reason to fetch: not again so soon, for anybody can invent one."""
        under_way = self._under_way is not None and not self._under_way.done()
        return under_way or self._clock.monotonic() - self._asked_at >= self._refetch_seconds

    async def fetch(self, http: httpx.AsyncClient) -> None:
        """Fetch, or wait for the fetch that is under way; raises `NotReachedError` and httpx's errors."""
        if self._under_way is None or self._under_way.done():
            self._asked_at = self._clock.monotonic()
            self._under_way = asyncio.create_task(self._fetch(http))
        await together(self._under_way)

    async def refetch(self, http: httpx.AsyncClient) -> None:
        """Fetch because of an unknown key, if that is not too often. A failure leaves what is known."""
        if self.may_refetch():
            try:
                await self.fetch(http)
            except Exception as fault:  # whatever it is, what was known goes on
                _log.warning("keys not fetched: %s", wire.why(fault))

    async def _fetch(self, http: httpx.AsyncClient) -> None:
        async with asyncio.timeout(wire.ANSWER_SECONDS), http.stream("GET", PATH) as answer:
            self.by_id = parse(await wire.json_of(answer))
            now = self._clock.monotonic()
            self._seen_at = {kid: self._seen_at.get(kid, now) for kid in self.by_id}
            self.keep_seconds = _max_age(answer.headers.get("Cache-Control", ""))


def _max_age(cache_control: str) -> float:
    """The seconds that the answer may be kept (RFC 9111, section 5.2.2.1)."""
    found = _MAX_AGE.search(cache_control)
    return min(max(int(found[1]), _LEAST_KEEP_SECONDS), _MOST_KEEP_SECONDS) if found else KEEP_SECONDS


def parse(document: Any) -> dict[str, PublicKey]:
    """The usable keys of a JWK Set (RFC 7517, section 5); raises `NotReachedError` where there is none."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise NotVestibuleError("the key set is not one of Vestibule's; check the url that is given")
    found = {}
    for member in listed:
        try:
            key = jwk.published_key(member)
        except UnusableKey:
            continue
        found[key.kid] = key
    if not found:
        raise NotReachedError("the key set has no key that can be used")
    return found
