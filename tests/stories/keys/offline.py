"""A service behind Vestibule that checks tokens by itself, with a library of its own choice and keys that it keeps."""

from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.harness.clock import ManualClock
from vestibule.client import keys as kit
from vestibule.client.memory import Memory
from vestibule.protocol.claims import Expected

_EXPECTED = Expected("vestibule", "vestibule", leeway=30.0)
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


class KitVerifier:
    """The same by Vestibule's own kit."""

    def __init__(self, client: httpx.AsyncClient, clock: ManualClock) -> None:
        self._client = client
        self._clock = clock
        self._keys = kit.KeySet(clock, refetch_seconds=60)
        self._memory = Memory(_EXPECTED, "accept", staleness=5, remembered=1000, clock=clock)
        self._memory.revoked.renew(clock.monotonic())
        self._good_until = float("-inf")
        self.fetches = 0

    async def check(self, token: str) -> dict[str, Any]:
        """The token's claims; raises the kit's refusals for one that its keys do not check."""
        if self._clock.monotonic() >= self._good_until:
            await self._keys.fetch(self._client)
            self._good_until = self._clock.monotonic() + self._keys.keep_seconds
            self.fetches += 1
        self._memory.keys = self._keys.by_id
        return dict(self._memory.decide(token).claims)


class OfflineVerifier:
    """Keeps the published keys for exactly as long as it is told, and asks at no other time."""

    def __init__(self, client: httpx.AsyncClient, clock: ManualClock) -> None:
        self._client = client
        self._clock = clock
        self._keys = KeySet([])
        self._good_until = float("-inf")
        self.fetches = 0

    async def check(self, token: str) -> dict[str, Any]:
        """The token's claims; raises joserfc's errors for one that its keys do not check."""
        if self._clock.monotonic() >= self._good_until:
            await self._fetch()
        return jwt.decode(token, self._keys, algorithms=["RS256"]).claims

    async def _fetch(self) -> None:
        answer = await self._client.get("/.well-known/jwks.json")
        assert answer.status_code == 200, answer.text
        published = answer.json()
        assert not [key for key in published["keys"] if key.keys() & PRIVATE_MEMBERS]
        public, max_age = answer.headers["Cache-Control"].split(", max-age=")
        assert public == "public"
        self._keys = KeySet.import_key_set(published)
        self._good_until = self._clock.monotonic() + int(max_age)
        self.fetches += 1
