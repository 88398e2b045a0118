"""The tokens and sessions that a process remembers, so that identifying a caller costs no I/O.

A token's claims never change, but its session and account do. Claims and sessions are kept separately: when a session
is dropped, the next request costs a query, but no signature check.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from vestibule.model.accounts import Account
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.model.sessions import Session
from vestibule.protocol.access_tokens import AccessToken
from vestibule.protocol.authentication import Level

REMEMBERED = 50_000
"""Access tokens that each process remembers, in about 1.5 kB each."""

RawResponse = tuple[
    list[tuple[bytes, bytes]],  # the headers that only this response has, in ASGI's form
    bytes,  # the body
]
"""A response that is ready to be sent."""


@dataclass(frozen=True)
class Caller:
    """A person who is signed in: a session that was live when it was read, with its account.

    `usable_until` is when the session would end unused, as this process last read it. Afterwards the database must be
    asked: the session may have been used through another process.

    In a session with an `actor_id`, an operator acts as the person: the id is of the operator's account.

    `methods`, `level` and `authenticated_at` (seconds since 1970) are the token's: they say how and when its user last
    authenticated. Another token of the session may say less.

    `cached_responses` has responses that were made from the session and its account, by name. They are dropped with the
    session.
    """

    session_id: str
    account: Account
    usable_until: datetime
    actor_id: str | None = None
    methods: tuple[str, ...] = ()
    level: Level = Level.ONE_FACTOR
    authenticated_at: int = 0
    cached_responses: dict[str, RawResponse] = field(default_factory=dict)

    def of_token(self, token: AccessToken) -> "Caller":
        """Return the caller with the methods, the level and the time of this token of the session."""
        if (
            self.authenticated_at == token.authenticated_at
            and self.level is token.level
            and self.methods == token.methods
        ):
            return self
        return replace(self, methods=token.methods, level=token.level, authenticated_at=token.authenticated_at)


Found = tuple[Session, Caller]
"""What a look-up in the database returns: the session's row, and the caller to remember."""


class CallerMemory:
    """Tokens by their digests, and sessions by their ids; at most `size` of each. If the memory is full, the oldest
    entry is dropped. `flows/identify.py` counts in `hits` and `misses` how often a caller was found here, or not.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.hits = self.misses = 0
        self._tokens: dict[bytes, AccessToken] = {}
        self._sessions: dict[str, Caller] = {}
        self._sessions_of_account: dict[str, set[str]] = {}

    def token(self, key: bytes) -> AccessToken | None:
        """Return the claims of the token with this digest, or None."""
        return self._tokens.get(key)

    def session(self, session_id: str) -> Caller | None:
        """Return the caller of a session, or None. `Caller.of_token` gives it the methods of the presented token."""
        return self._sessions.get(session_id)

    def keep_token(self, key: bytes, token: AccessToken) -> None:
        """Remember a token whose signature was verified."""
        if len(self._tokens) >= self._size and key not in self._tokens:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[key] = token

    def keep_session(self, caller: Caller) -> None:
        """Remember a session. Check first that no revocation arrived since it was read (`RevocationSet.generation`)."""
        if len(self._sessions) >= self._size and caller.session_id not in self._sessions:
            self._drop(next(iter(self._sessions)))
        self._sessions[caller.session_id] = caller
        self._sessions_of_account.setdefault(caller.account.id, set()).add(caller.session_id)

    def drop(self, revocation: Revocation) -> None:
        """Drop the session that a revocation is about, or all sessions of its account."""
        if revocation.kind is RevocationKind.SESSION:
            self._drop(revocation.subject)
        else:
            for session_id in list(self._sessions_of_account.get(revocation.subject, ())):
                self._drop(session_id)

    def drop_tokens(self) -> None:
        """Drop all tokens, so that every signature is verified again. Call it after a key was withdrawn."""
        self._tokens.clear()

    def _drop(self, session_id: str) -> None:
        caller = self._sessions.pop(session_id, None)
        if caller is None:
            return
        siblings = self._sessions_of_account[caller.account.id]
        siblings.discard(session_id)
        if not siblings:
            del self._sessions_of_account[caller.account.id]
