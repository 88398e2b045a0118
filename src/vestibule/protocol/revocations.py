"""The revocations known to one process, in memory: a check needs no I/O.

Times are seconds of a monotonic clock that also runs while the machine sleeps. Only one thread may write. Any number of
threads may read, because each read is one atomic step in Python.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

MAX_ENTRIES = 2_000_000
"""Vestibule never sends more: two million would mean hundreds of sign-outs in each second of a token's lifetime."""

_PURGE_EVERY_SECONDS = 60.0
USUAL_SECONDS = 2 * 3600.0
"""Longer than any revocation is kept, except those of tokens issued by a server whose clock is fast."""
_PURGED_AT_ONCE = 5_000
"""Sessions purged in one call. A million at once would block the event loop for a quarter of a second."""


class TooMuch(ValueError):
    """The feed lists more revocations than can be true."""


class Revoked:
    """Sessions and accounts whose tokens are refused, until the tokens have expired. `fresh_as_of`: the time up to
    which everything is known.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, float] = {}  # until which moment each is kept
        self._accounts: dict[str, tuple[int, float]] = {}  # `not_before`, and until which moment it is kept
        self._purged_at = float("-inf")
        self.fresh_as_of = float("-inf")

    def __len__(self) -> int:
        return len(self._sessions) + len(self._accounts)

    def __contains__(self, subject: object) -> bool:
        return subject in self._sessions or subject in self._accounts

    @property
    def sessions(self) -> Mapping[str, float]:
        """Return each revoked session, with the moment from which it can be purged."""
        return self._sessions

    @property
    def accounts(self) -> Mapping[str, tuple[int, float]]:
        """Return each account with `not_before`, in seconds since 1970, and the moment from which it can be purged."""
        return self._accounts

    def age(self, now: float) -> float:
        """Return the seconds since `fresh_as_of`."""
        return now - self.fresh_as_of

    def refuses(self, session_id: str, account_id: str, issued_at: int) -> bool:
        """Return whether a token is refused: its session ended, or it was issued before its account's `not_before`."""
        if session_id in self._sessions:
            return True
        ended = self._accounts.get(account_id)
        if ended is None:
            return False
        not_before, _until = ended
        return issued_at < not_before

    def learn(self, event: Mapping[str, Any], now: float) -> None:
        """Add the revocations of one `revoked` event of the feed: `sessions` maps each session to the seconds for which
        to keep it, `accounts` each account to `not_before` and these seconds. Raises `TypeError`, `ValueError` or
        `AttributeError` for a malformed event, and `TooMuch`, before it adds any, if they do not fit.
        """
        self._make_room(event, now)
        for session, seconds in event.get("sessions", {}).items():
            self.end_session(session, now + float(seconds))
        for account, (not_before, seconds) in event.get("accounts", {}).items():
            self.end_account(account, int(not_before), now + float(seconds))

    def _make_room(self, event: Mapping[str, Any], now: float) -> None:
        """Drop expired revocations while the event does not fit; raises `TooMuch` if it never fits. Do not wait for the
        purge at the next heartbeat: `TooMuch` ends the connection to the feed before that.
        """
        listed = len(event.get("sessions", {})) + len(event.get("accounts", {}))
        if len(self) + listed <= MAX_ENTRIES:  # nearly always
            return
        while len(self) + self._count_new(event) > MAX_ENTRIES:
            if not self._drop_expired(now):
                raise TooMuch

    def _count_new(self, event: Mapping[str, Any]) -> int:
        sessions = sum(session not in self._sessions for session in event.get("sessions", {}))
        return sessions + sum(account not in self._accounts for account in event.get("accounts", {}))

    def _drop_expired(self, now: float) -> bool:
        """Drop expired revocations, at most those of `_PURGED_AT_ONCE` sessions; return whether there were any."""
        sessions = list(islice((each for each, until in self._sessions.items() if until <= now), _PURGED_AT_ONCE))
        accounts = [account for account, (_, until) in self._accounts.items() if until <= now]
        for session in sessions:
            del self._sessions[session]
        for account in accounts:
            del self._accounts[account]
        return bool(sessions or accounts)

    def end_session(self, session: str, until: float) -> None:
        """Refuse a session's tokens until the moment `until`, when all have expired."""
        self._sessions[session] = max(until, self._sessions.get(session, until))

    def end_account(self, account: str, not_before: int, until: float) -> None:
        """Refuse an account's tokens issued before `not_before`, in seconds since 1970, until the moment `until`."""
        earlier_not_before, earlier_until = self._accounts.get(account, (not_before, until))
        self._accounts[account] = max(not_before, earlier_not_before), max(until, earlier_until)

    def renew(self, fresh_as_of: float) -> None:
        """Note that everything up to this moment is known."""
        self.fresh_as_of = max(self.fresh_as_of, fresh_as_of)

    def purge(self, now: float) -> list[str]:
        """Drop revocations whose tokens have all expired; return the sessions and accounts they were about.

        Does nothing within a minute of the last purge that finished. One call drops at most `_PURGED_AT_ONCE` sessions,
        and the next call goes on. Sessions are in the order in which they were added, so those that expire first come
        first. A session that is kept longer than usual does not hold up those behind it.
        """
        if now - self._purged_at < _PURGE_EVERY_SECONDS:
            return []
        sessions = list(islice(self._expired_sessions(now), _PURGED_AT_ONCE))
        for session in sessions:
            del self._sessions[session]
        if len(sessions) == _PURGED_AT_ONCE:
            return sessions
        self._purged_at = now
        accounts = [account for account, (_, until) in self._accounts.items() if until <= now]
        for account in accounts:
            del self._accounts[account]
        return sessions + accounts

    def _expired_sessions(self, now: float) -> Iterator[str]:
        """Yield expired sessions. Stop at the first that is kept for the usual time: those behind it expire later."""
        for session, until in self._sessions.items():
            if until <= now:
                yield session
            elif until <= now + USUAL_SECONDS:
                return
