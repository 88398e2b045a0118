"""Who is calling."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vestibule.client.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is signed in: the account's id, its role, the session, and until when the token says so.

    `claims` is all that the token says. `issued` and `expires_at` are its `iat` and `exp`, in seconds since 1970.
    """

    id: str
    role: str
    session: str
    issued: int
    expires_at: int
    claims: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def expires(self) -> datetime:
        """The end of the token, in UTC. The session may end before, or go on with another token."""
        return datetime.fromtimestamp(self.expires_at, UTC)

    def require(self, *roles: str) -> None:
        """Raises `NotAllowed` unless the role is one of these."""
        if self.role not in roles:
            raise NotAllowed
