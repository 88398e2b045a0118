"""The public keys, kept fresh: fetched once for everybody who waits, and not often for what is unknown."""

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Any

import httpx

from vestibule.client import wire
from vestibule.client.errors import NotReached, NotVestibule
from vestibule.crypto import jwk
from vestibule.crypto.jwk import PublicKey, UnusableKey
from vestibule.model.clock import Clock

PATH = "/.well-known/jwks.json"
KEEP_SECONDS = 300.0
"""How long keys are kept where the answer does not say; it says between these two."""

_LEAST_KEEP_SECONDS, _MOST_KEEP_SECONDS = 10, 3600
MAX_KEYS = 64
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

    def may_refetch(self) -> bool:
        """Whether an unknown key is a reason to fetch: not again so soon, for anybody can invent one."""
        under_way = self._under_way is not None and not self._under_way.done()
        return under_way or self._clock.monotonic() - self._asked_at >= self._refetch_seconds

    async def fetch(self, http: httpx.AsyncClient) -> None:
        """Fetch, or wait for the fetch that is under way; raises `NotReached` and httpx's errors."""
        if self._under_way is None or self._under_way.done():
            self._asked_at = self._clock.monotonic()
            self._under_way = asyncio.create_task(self._fetch(http))
        await asyncio.shield(self._under_way)

    async def refetch(self, http: httpx.AsyncClient) -> None:
        """Fetch because of an unknown key, if that is not too often. A failure leaves what is known."""
        if self.may_refetch():
            try:
                await self.fetch(http)
            except (NotReached, httpx.HTTPError, TimeoutError) as fault:
                _log.warning("keys not fetched: %s", wire.why(fault))

    async def _fetch(self, http: httpx.AsyncClient) -> None:
        async with asyncio.timeout(wire.ANSWER_SECONDS), http.stream("GET", PATH) as answer:
            self.by_id = parse(await wire.json_of(answer))
            self.keep_seconds = _max_age(answer.headers.get("Cache-Control", ""))


def _max_age(cache_control: str) -> float:
    """The seconds that the answer may be kept (RFC 9111, section 5.2.2.1)."""
    found = _MAX_AGE.search(cache_control)
    return min(max(int(found[1]), _LEAST_KEEP_SECONDS), _MOST_KEEP_SECONDS) if found else KEEP_SECONDS


def parse(document: Any) -> dict[str, PublicKey]:
    """The usable keys of a JWK Set (RFC 7517, section 5); raises `NotReached` where there is none."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise NotVestibule("the key set is not one of Vestibule's; check the url that Verifier is given")
    found = {}
    for member in listed:
        try:
            key = jwk.published_key(member)
        except UnusableKey:
            continue
        found[key.kid] = key
    if not found:
        raise NotReached("the key set has no key that can be used")
    return found
