"""What each role permits, as a service knows it: the document that was fetched, and the version that the feed lists."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from vestibule.client.caller_errors import CannotTellError
from vestibule.model.clock import Clock
from vestibule.protocol.clocks import MAX_APART_SECONDS
from vestibule.protocol.permissions import Permissions

USABLE_SECONDS = 10.0
"""For how long a document is used after the last moment at which it was known to be current."""
LATE_ROLE_SECONDS = 3.0
"""For how long after a role was first met a process of Vestibule may not know that role yet."""
_OLDER_BY_SECONDS = MAX_APART_SECONDS
"""How much earlier than the newest document that was seen a current one may have been signed: the clocks of Vestibule's
machines differ, and a process may learn of a change a second later than another.
"""
_MOST_MET = 256


class PermissionSource(Protocol):
    """Where a caller's permissions are looked up."""

    def of(self, roles: Collection[str]) -> frozenset[str]:
        """Return what these roles permit together; raises `CannotTellError` if that is not known now."""

    def has(self, roles: Collection[str], permission: str) -> bool:
        """Return whether one of the roles permits this; raises `CannotTellError` if that is not known now."""

    def kept(self, roles: Collection[str]) -> "KeptPermissions":
        """Return what is known of these roles now, to be sent to another process."""


@dataclass(frozen=True)
class KeptPermissions:
    """What a caller's roles permitted when the caller was pickled; None if that was not known."""

    permissions: frozenset[str] | None = None

    def of(self, _roles: Collection[str]) -> frozenset[str]:
        """Return the permissions; raises `CannotTellError`."""
        if self.permissions is None:
            raise CannotTellError
        return self.permissions

    def has(self, roles: Collection[str], permission: str) -> bool:
        """Return whether the permission is among them; raises `CannotTellError`."""
        return permission in self.of(roles)

    def kept(self, _roles: Collection[str]) -> "KeptPermissions":
        """Return the same."""
        return self


class PermissionBook:
    """The permissions of all roles. Read from any thread; `note_listed` and `learn` are for the background loop.

    `on_need` is called, from any thread, when somebody asks for what has to be fetched.
    """

    def __init__(self, clock: Clock, *, accepts_stale: bool = False) -> None:
        self.document: Permissions | None = None
        self.listed = ""
        """The version that the feed listed last; empty before that, and if Vestibule is too old to list one."""
        self.on_need: Callable[[], None] = lambda: None
        self._accepts_stale = accepts_stale
        self._clock = clock
        self._as_of = self._listed_as_of = float("-inf")
        self._newest_issued_at = 0  # it stays when the document is dropped
        self._met: dict[str, float] = {}  # unknown roles, and when each was first met
        self._asked = False

    @property
    def needs_fetch(self) -> bool:
        """Return whether another document may be current, or somebody asked for what this one does not tell."""
        return self._asked or bool(self.listed and not self._is_listed(self.document))

    def note_listed(self, version: str, as_of: float) -> None:
        """Note the version that was current at `as_of`, of our monotonic clock. An older list says nothing: it comes
        from a process of Vestibule that lags behind.
        """
        if as_of < self._listed_as_of:
            return
        self.listed, self._listed_as_of = version, as_of
        if self.document is not None and self.document.version == version:
            self._as_of = max(self._as_of, as_of)

    def learn(self, document: Permissions, as_of: float) -> None:
        """Use this document, which was fetched as current at `as_of`. While the feed lists the version of the known
        document, ignore a document of another version: it comes from a process of Vestibule that lags behind, or the
        feed will list it soon. Ignore a document that the feed does not list now and that was signed long before the
        newest one: somebody may send again what was true once.
        """
        self._asked = False
        listing_is_fresh = self._is_listing_fresh(as_of)
        listed_now = listing_is_fresh and self._is_listed(document)
        if not listed_now and ((listing_is_fresh and self._is_listed(self.document)) or self._was_replaced(document)):
            return
        self.document = document
        self._newest_issued_at = max(self._newest_issued_at, document.issued_at)
        if listed_now or not listing_is_fresh:
            self._as_of = max(self._as_of, as_of)

    def drop(self) -> None:
        """Know nothing, until there is another document, which is not an older one."""
        self.document, self.listed = None, ""
        self._as_of = self._listed_as_of = float("-inf")

    def of(self, roles: Collection[str]) -> frozenset[str]:
        """Return what these roles permit together; raises `CannotTellError`."""
        document = self._usable()
        self._require_met(document, roles)
        return frozenset().union(*(document.roles.get(role, frozenset()) for role in roles))

    def has(self, roles: Collection[str], permission: str) -> bool:
        """Return whether one of the roles permits this; raises `CannotTellError`."""
        document = self._usable()
        if any(permission in document.roles.get(role, ()) for role in roles):
            return True
        self._require_met(document, roles)
        return False

    def kept(self, roles: Collection[str]) -> KeptPermissions:
        """Return what is known of these roles now."""
        try:
            return KeptPermissions(self.of(roles))
        except CannotTellError:
            return KeptPermissions()

    def _usable(self) -> Permissions:
        now = self._clock.monotonic()
        if now - self._as_of > USABLE_SECONDS / 2:
            self._ask()
        if self.document is None or (now - self._as_of > USABLE_SECONDS and not self._may_be_stale(now)):
            raise CannotTellError
        return self.document

    def _require_met(self, document: Permissions, roles: Collection[str]) -> None:
        """Raise `CannotTellError` for a role that is not in the document, unless it was met long enough ago: a process
        of Vestibule may have issued a token with a role that the next one does not know yet.
        """
        now = self._clock.monotonic()
        for role in roles:
            if role not in document.roles and now - self._first_met(role, now) < LATE_ROLE_SECONDS:
                raise CannotTellError

    def _first_met(self, role: str, now: float) -> float:
        if role not in self._met:
            if len(self._met) >= _MOST_MET:
                self._met.clear()
            self._met[role] = now
            self._ask()
        return self._met.get(role, now)

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self.on_need()

    def _may_be_stale(self, now: float) -> bool:
        """Return whether a document of any age is used: only while the feed is away."""
        return self._accepts_stale and not self._is_listing_fresh(now)

    def _is_listing_fresh(self, now: float) -> bool:
        return now - self._listed_as_of <= USABLE_SECONDS

    def _was_replaced(self, document: Permissions) -> bool:
        same = self.document is not None and self.document.version == document.version
        return not same and document.issued_at < self._newest_issued_at - _OLDER_BY_SECONDS

    def _is_listed(self, document: Permissions | None) -> bool:
        return document is not None and document.version == self.listed
