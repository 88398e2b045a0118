"""A service's memory under a clock that the test moves, and tokens of Vestibule's own making."""

from typing import Any

from tests.harness.clock import ManualClock
from tests.harness.world import POLICY, key_ring
from vestibule.client.memory import Memory, WhenStale
from vestibule.crypto.entropy import new_id
from vestibule.model import access_tokens
from vestibule.model.accounts import Role
from vestibule.model.clock import SystemClock
from vestibule.protocol.access_tokens import AccessToken
from vestibule.protocol.claims import Expected

EXPECTED = Expected("vestibule", "vestibule", leeway=30.0)
STALENESS = 5.0


class Knowing:
    """What a service knows that has just heard a heartbeat."""

    def __init__(self, policy: WhenStale = "refuse", remembered: int = 100) -> None:
        self.clock = ManualClock()
        self.memory = Memory(EXPECTED, policy, STALENESS, remembered, self.clock)
        self.memory.keys = key_ring().access.checking
        self.memory.revoked.renew(self.clock.monotonic())

    def token(self, **members: Any) -> str:
        """A token as the server makes it."""
        now = int(self.clock.now().timestamp())
        life = int(POLICY.access_lifetime.total_seconds())
        times = {"issued_at": now, "expires_at": now + life}
        said = {"account_id": "ada", "session_id": "s1", "role": Role.USER} | times | members
        token = AccessToken(new_id(), **said)
        return access_tokens.sign(token, POLICY.issuer, key_ring().access)


def token_of_today(session: str) -> str:
    """A token as the server makes it now."""
    knowing = Knowing()
    knowing.clock.advance(seconds=(SystemClock().now() - knowing.clock.now()).total_seconds())
    return knowing.token(session_id=session)
