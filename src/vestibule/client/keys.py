"""Keep the public keys current. Concurrent checks share one fetch; fetches for unknown key ids are limited."""

import asyncio
import re
from collections.abc import Collection, Mapping
from typing import Any

import httpx

from vestibule.client import wire
from vestibule.client.errors import NotReachedError, NotVestibuleError
from vestibule.client.key_listing import KeyListing
from vestibule.crypto import jwk
from vestibule.crypto.jwk import PublicKey, UnusableKey
from vestibule.model.clock import Clock
from vestibule.protocol.tasks import SharedWork

PATH = "/.well-known/jwks.json"
KEEP_SECONDS = 300.0
"""How long keys are kept if the response has no `max-age`."""

_LEAST_KEEP_SECONDS, _MOST_KEEP_SECONDS = 10, 3600  # bounds of the `max-age` that is obeyed
MAX_KEYS = 64  # in one set; Vestibule publishes a handful
LISTED_REFETCH_SECONDS = 1.0
"""The least time between two fetches for a key that the feed lists, and that the last fetch did not bring."""

_MAX_AGE = re.compile(r"\bmax-age=(\d{1,9})\b")


class KeySet:
    """The public keys in force. Read from any thread; fetched only in the background loop."""

    def __init__(self, clock: Clock, refetch_seconds: float, listing: KeyListing | None = None) -> None:
        self.by_id: Mapping[str, PublicKey] = {}
        self.keep_seconds = KEEP_SECONDS
        self.as_of = float("-inf")
        """The moment at which the fetched keys were current: when the fetch was sent, or earlier if a cache answered
        it.
        """
        self._clock = clock
        self._refetch_seconds = refetch_seconds
        self._asked_at = float("-inf")
        self._under_way = SharedWork[str, None]()
        self._listing = KeyListing() if listing is None else listing
        self._first_fetched_at: dict[str, float] = {}

    @property
    def in_force(self) -> Mapping[str, PublicKey]:
        """Return the keys that are accepted now: those fetched, except those that the feed no longer lists. A key that
        the feed has never listed is accepted until a list comes that is younger than the key's first fetch. Without a
        list, all fetched keys are accepted, except those that were withdrawn before the last list was dropped.
        """
        return {kid: key for kid, key in self.by_id.items() if self._is_accepted(kid)}

    @property
    def lacks_listed_key(self) -> bool:
        """Return whether the feed lists a key that was not fetched, or cannot be used here."""
        return bool((self._listing.ids or frozenset()) - self.by_id.keys())

    def note_listed(self, listed: Collection[str], as_of: float) -> bool:
        """Note the key ids that the feed lists; return whether the list changed, which is a reason to fetch."""
        return self._listing.take(listed, as_of)

    def _is_accepted(self, kid: str) -> bool:
        if self._listing.withdrew(kid):
            return False
        if self._listing.ids is None or self._listing.lists(kid):
            return True
        return self._listing.as_of < self._first_fetched_at.get(kid, float("-inf"))  # the list is the older

    def may_refetch(self, *, listed: bool) -> bool:
        """Return whether an unknown key id may cause a fetch now, or wait for the fetch under way.

        Anybody can invent key ids, so fetches for unknown ids are limited. Nobody can invent an id that the feed lists
        (`listed`), so listed ids have their own, higher limit. Only a listed id waits for a fetch under way: otherwise
        each invented id would hold a thread of the service for as long as the fetch takes.
        """
        if self._under_way:
            return listed
        pause = min(LISTED_REFETCH_SECONDS, self._refetch_seconds) if listed else self._refetch_seconds
        return self._clock.monotonic() - self._asked_at >= pause

    async def fetch(self, http: httpx.AsyncClient) -> None:
        """Fetch the keys, or wait for the fetch under way; raises `NotReachedError`, `TimeoutError`, httpx's errors."""
        if not self._under_way:
            self._asked_at = self._clock.monotonic()
        await self._under_way.result(PATH, lambda: self._fetch(http))

    async def refetch(self, http: httpx.AsyncClient, *, listed: bool) -> None:
        """Fetch because of an unknown key id, if `may_refetch`. Raises as `fetch` does; the known keys are kept."""
        if self.may_refetch(listed=listed):
            await self.fetch(http)

    async def _fetch(self, http: httpx.AsyncClient) -> None:
        sent_at = self._clock.monotonic()
        async with asyncio.timeout(wire.ANSWER_SECONDS), http.stream("GET", PATH, headers=wire.ASK_ANEW) as answer:
            fetched = parse(await wire.json_of(answer))
            self._replace_keys(fetched, sent_at - wire.age_of(answer))
            self.keep_seconds = _max_age(answer.headers.get("Cache-Control", ""))

    def _replace_keys(self, fetched: Mapping[str, PublicKey], as_of: float) -> None:
        """Replace the known keys by the fetched ones, but keep those that the feed lists: the response may lack the
        newest key if it comes from a cache, or from a process of Vestibule that lags behind.
        """
        listed = {kid: key for kid, key in self.by_id.items() if self._listing.lists(kid)}
        self.by_id, self.as_of = {**listed, **fetched}, as_of
        self._first_fetched_at = {kid: self._first_fetched_at.get(kid, as_of) for kid in self.by_id}


def _max_age(cache_control: str) -> float:
    """Return how many seconds the answer may be cached (RFC 9111, section 5.2.2.1), within our bounds."""
    found = _MAX_AGE.search(cache_control)
    return min(max(int(found[1]), _LEAST_KEEP_SECONDS), _MOST_KEEP_SECONDS) if found else KEEP_SECONDS


def parse(document: Any) -> dict[str, PublicKey]:
    """Return the usable keys of a JWK Set (RFC 7517, section 5) by their ids. Raises `NotReachedError` if there are
    none, or if the document is no JWK Set.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise NotVestibuleError("the key set is not Vestibule's; check the url")
    found = {}
    for member in listed:
        try:
            key = jwk.published_key(member)
        except UnusableKey:
            continue
        found[key.kid] = key
    if not found:
        raise NotReachedError("the key set has no usable key")
    return found
