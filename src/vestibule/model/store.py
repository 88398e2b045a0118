"""What storage must promise. Ports are atomic steps, not tables.

There is no port for "read, then decide in Python, then write": wherever a second request could stand between
the two, the decision is part of the statement (`open`, `rotate`, `consume`, `claim`). Measured on PostgreSQL,
sixteen racers spending one refresh token: guarded in Python fifteen of them win, guarded in the UPDATE one.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vestibule.crypto.hash_forms import Cost
from vestibule.model.accounts import Account, Holder
from vestibule.model.events import Event, EventFilter
from vestibule.model.letters import Backlog, LetterState, QueuedLetter
from vestibule.model.limits import Limit, Spacing
from vestibule.model.login_attempts import AttemptCount, AttemptCounter, CountedAttempt, LoginAttemptLimits
from vestibule.model.one_time_tokens import OneTimeToken, Purpose
from vestibule.model.revocations import Range, Reach, Revocation
from vestibule.model.service_keys import ServiceKey
from vestibule.model.sessions import Device, EndReason, Session, SessionLimits
from vestibule.model.signing_keys import KeyUse, SealedKey, Standing


class Accounts(Protocol):
    """Who there is. Each `lock…` comes first in its transaction and lasts until that ends: meanwhile nobody else
    changes the account, or what belongs to it (decision 0025).
    """

    async def lock(self, account_id: str) -> Account | None:
        """Hold the account; as it is then, or None if there is none by now."""

    async def lock_at(self, email: str) -> Account | None:
        """Hold the account with this canonical email; as it is then, or None."""

    async def of_token(self, digest: str) -> Account | None:
        """The account that an unspent mailed token is about."""

    async def lock_for_token(self, digest: str) -> None:
        """Hold the account that a mailed token is about, and the one that has the email it was mailed to, if any."""

    async def add(self, account: Account) -> bool:
        """Add the account; False, and nothing done, if its email is taken, or kept for another (`kept`)."""

    async def add_missing(self, accounts: Sequence[Account]) -> set[str]:
        """Add those whose id and email are both free, at the moment of their import or creation; their ids."""

    async def note_use(self, account_id: str, epoch: int, now: datetime) -> None:
        """Note that somebody signs in to the account, if nobody did before and it is still in this epoch: from now on
        it is not nobody's, whatever of it is purged. Before `Sessions.open`, so that of two nobody waits for both.
        """

    async def holders(self, accounts: Sequence[Account]) -> dict[str, Holder]:
        """Those here that have the id or the email of one of these, by their emails."""

    async def register_anew(self, account: Account, before: datetime) -> Account | None:
        """Give the account at this email the new name, password and language, note that it was registered again, and
        begin a new epoch, if it is nobody's (nobody ever verified the email or used it, it is an ordinary one that was
        registered here) and was registered before this moment; the account as it is then, or None.
        """

    async def never_used(self, before: datetime, most: int, account_id: str | None = None) -> list[Account]:
        """Accounts that are nobody's, as in `register_anew`, and untouched since before a moment; at most so many, or
        whether this one is.
        """

    async def kept(self, emails: Sequence[str], now: datetime) -> Mapping[str, str]:
        """Those of these emails that an account was moved away from and may still be taken back to, and so are free for
        no other; the id of that account.
        """

    async def with_email(self, email: str) -> Account | None:
        """The account with this canonical email."""

    async def get(self, account_id: str) -> Account | None:
        """The account with this id."""

    async def verify(self, account_id: str, email: str, now: datetime, epoch: int | None = None) -> bool:
        """Mark the email verified, if it is still the account's, and the account still in this epoch, if one is given:
        a code that was mailed for one password proves nothing for the next.
        """

    async def doubt_password(self, email: str, now: datetime, known: str | None) -> bool:
        """Note that somebody registered this email again, if nobody has verified it, and the password that stands is
        not the one with the hash `known`; whether that was noted.
        """

    async def trust_password(self, email: str, stored: str | None, doubted_at: datetime) -> None:
        """Take back a doubt that was noted at this moment, if nobody has noted another since, and the password that
        stands has the hash `stored`.
        """

    async def set_password(self, account_id: str, password_hash: str, now: datetime) -> int:
        """Set a new credential and begin a new epoch; which."""

    async def change_password(self, account_id: str, old: str, new: str, now: datetime) -> int | None:
        """The same, if the hash `old` is still there; None if it is not."""

    async def set_language(self, account_id: str, language: str, now: datetime) -> bool:
        """Set the language of what is mailed; False if it was this one."""

    async def disable(self, account_id: str, now: datetime) -> bool:
        """Disable the account and begin a new epoch; False if it was disabled already."""

    async def enable(self, account_id: str, now: datetime) -> bool:
        """Enable it again; False if it was enabled."""

    async def change_email(self, account_id: str, email: str, now: datetime) -> str | None:
        """Set another verified email and begin a new epoch; the email before, or None if the new one is taken, or
        kept for another account. After `lock_for_token`.
        """

    async def take_back(self, account_id: str, email: str, now: datetime) -> Account | None:
        """Set a verified email, and no password, and begin a new epoch; the account as it is then, or None if the
        email is taken by another.
        """

    async def remove(self, account_id: str) -> bool:
        """Delete the account, and with it its sessions, tokens, letters and known devices; False if there was none."""

    async def highest_bcrypt_cost(self) -> int | None:
        """The greatest cost of a bcrypt hash that is left and may be checked; None if there is none."""

    async def other_argon2(self) -> set[Cost]:
        """The costs of argon2 hashes that are left, may be checked and were not made here at the default cost."""

    async def remove_squatter(self, email: str, owner_id: str) -> str | None:
        """Delete the account that has this email and never verified it, unless it is the owner's; which."""

    async def replace_hash(self, account_id: str, old: str, new: str) -> None:
        """Put another hash of the same password in the place of `old`, if that is still there."""


Issued = dict[str, datetime]
"""Sessions that ended, by their ids, each with the latest moment on any clock at which it was given tokens."""


class Sessions(Protocol):
    """Who is signed in where."""

    async def open(self, session: Session, epoch: int) -> int:
        """Begin the session, if the account is enabled and still in the epoch its credential was checked in; how many
        sessions of the account have not been ended by then, counted up to `MOST_COUNTED`, or 0 if it did not begin.

        Holds the account against a change of credential until the transaction ends, so that such a change
        either refuses this session or sees it and ends it.
        """

    async def find(self, session_id: str) -> tuple[Session, Account] | None:
        """The session, live or ended, with its account."""

    async def rotate(self, session_id: str, counter: int, limits: SessionLimits, now: datetime) -> bool:
        """Accept `counter` and issue the next one, if the protocol allows; False, and nothing done, otherwise."""

    async def had(self, account_id: str, device: Device, now: datetime) -> bool:
        """Whether an earlier session of the account, live or ended, came from this program on this network address."""

    async def of_account(self, account_id: str, most: int, now: datetime) -> list[Session]:
        """The live sessions of an account, the one last seen first, `most` of them."""

    async def count_live(self, account_id: str, now: datetime) -> int:
        """How many live sessions the account has, counted up to `MOST_COUNTED`."""

    async def page(
        self, account_id: str, before: tuple[datetime, str], most: int, now: datetime, *, live: bool
    ) -> list[Session]:
        """Sessions of an account that are live, or those that are over, the newest first: those that began before a
        moment, or in it with a lesser id, at most so many.
        """

    async def past(self, account_id: str, most: int, now: datetime) -> list[Session]:
        """Sessions of an account that are over, the one last seen first, `most` of them."""

    async def end(self, session_id: str, account_id: str, reason: EndReason, now: datetime) -> Issued:
        """End one live session of an account; nothing if it was over already, or is not the account's."""

    async def end_all(self, account_id: str, reason: EndReason, now: datetime) -> Issued:
        """End every session of an account, however many; those that were live. One over by its age ends too and keeps
        that reason: by a right clock it may have been live.
        """

    async def end_others(self, account_id: str, spare: str, most: int, reason: EndReason, now: datetime) -> Issued:
        """End live sessions of an account but `spare`, at most so many at once."""

    async def end_longest_unseen(self, account_id: str, most: int, spare: str, now: datetime) -> Issued:
        """End the `most` sessions of an account that were unseen for longest, but never `spare`; those that were live.
        One that was over by its age keeps that reason.
        """

    async def purge_past(self, account_id: str, now: datetime, most: int) -> int:
        """Delete sessions of an account that are over, so many at most; how many."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete sessions that could not have lived beyond a moment before `before`, so many at most; how many."""


class OneTimeTokens(Protocol):
    """What was mailed and not yet spent."""

    async def replace(self, token: OneTimeToken) -> None:
        """Keep the token; older ones of the same account and purpose are dead from now on, but for those that went
        out with the same letter, and for those that undo a change of email and went to another email.
        """

    async def keep(self, token: OneTimeToken) -> None:
        """Keep an email for the account that is moved away from it (`kept_for`), in the transaction that moves it."""

    async def usable(self, digest: str, purpose: Purpose, now: datetime) -> bool:
        """Whether there is such a token, neither spent nor expired. Decides nothing: `consume` does."""

    async def wanted_email(self, account_id: str, digest: str, now: datetime) -> str | None:
        """The email that this account gets by spending this token now; None by any other. Decides nothing either."""

    async def consume(self, digest: str, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        """Spend the token and what went out with it, once: of any number of racers one gets it. None if unknown,
        spent or expired; if the account is disabled; or, for what does not undo a change, if the account has another
        email than when it was asked for, or is in another epoch. After `Accounts.lock_for_token`.
        """

    async def void(self, account_id: str, *, undo_since: datetime | None = None) -> None:
        """Kill the unspent tokens of an account. One that undoes a change of email is the last way back of an owner
        whose account was taken over: it dies only if the change was at `undo_since` or later.
        """

    async def purge(self, before: datetime, most: int) -> int:
        """Delete tokens that expired before a moment, spent or not, so many at most; how many."""


class Letters(Protocol):
    """The outbox."""

    async def queue(self, letter: QueuedLetter) -> None:
        """Put a letter in, due at once. With it is written down of which account it was asked, and in which epoch; the
        same statement where nobody has the email.
        """

    async def claim(self, now: datetime) -> QueuedLetter | None:
        """Take the next due letter under a lease, so that no second worker takes it meanwhile: the oldest that is not a
        notice, unless another has been due for `NOTICES_WAIT`.
        """

    async def hold(self, letter: QueuedLetter) -> bool:
        """Keep the claimed letter as it is until the transaction ends; False if it is settled, or another's by now."""

    async def newer(self, letter: QueuedLetter, account: Account) -> bool:
        """Whether a later letter of the same kind, sent or not, was asked of this account as it is now. What was asked
        of another, of nobody, or in another epoch takes no letter's place, whatever mailbox it is for.
        """

    async def settle(self, letter: QueuedLetter, now: datetime, account_id: str | None) -> None:
        """The letter has been handed over, or has become needless; `account_id` is whom it was for."""

    async def put_off(self, letter: QueuedLetter, due_at: datetime, fault: str) -> None:
        """The letter could not be sent; try again at `due_at`. Nothing, if somebody else has claimed it since."""

    async def refuse(self, letter: QueuedLetter, now: datetime, fault: str) -> None:
        """The letter will never be taken; it is kept, and not tried again. Nothing, if claimed by another since."""

    async def delete_of(self, account_id: str) -> None:
        """Delete every letter of this account, and what was asked of it by email; none of another's, whatever mailbox
        that one goes to.
        """

    async def purge_settled(self, account_id: str, most: int) -> int:
        """Delete letters of an account that are sent or withdrawn, so many at most; how many."""

    async def purge_done(self, before: datetime, most: int) -> int:
        """Delete letters queued before a moment and not waiting any more, so many at most; how many."""

    async def withdraw(self, account_id: str, now: datetime, *, undo_since: datetime | None = None) -> None:
        """Letters that would carry a token for the account are not sent any more, refused ones and those asked for by
        email included. Those that undo a change of email go out all the same, unless it was at `undo_since` or later.
        """

    async def unsettled(self, most: int) -> list[LetterState]:
        """The letters that wait or were refused, the oldest first."""

    async def retry(self, now: datetime, letter_ids: Sequence[str] | None = None) -> int:
        """Make those of these letters due that could not be sent, refused ones too, or all such letters; how many.
        One that somebody is sending at this moment is left to him.
        """

    async def backlog(self) -> Backlog:
        """How full the outbox is."""


class KnownDevices(Protocol):
    """Which browsers have signed in to an account before. Each keeps a secret in a cookie; here is its digest."""

    async def seen(self, account_id: str, digest: str, now: datetime) -> bool:
        """Note that a known device signed in; False if it is not known."""

    async def place(self, account_id: str, digests: Sequence[str]) -> int | None:
        """The place of the device of the account's that one of them is; None if none is."""

    async def places(self, account_id: str) -> Mapping[int, int]:
        """How many devices of the account there are in each place; empty where it knows none. Of an account that has
        far more than it may, some are counted.
        """

    async def make_room(self, account_id: str, much: int) -> None:
        """Delete so many of the account's devices, the longest unseen first."""

    async def add(self, account_id: str, digest: str, now: datetime, place: int) -> None:
        """Know this device from now on."""

    async def delete_of(self, account_id: str) -> None:
        """Know none of the account's devices any more."""

    async def purge_unseen(self, before: datetime, most: int) -> int:
        """Delete devices not seen since a moment, so many at most; how many. The one that its account was last seen
        with stays: an account without any takes the next for its first, and tells nobody.
        """


class RateCounters(Protocol):
    """How often something was done lately."""

    async def take(self, limit: Limit, subject: str, now: datetime) -> bool:
        """Count one more for `subject`; False, and nothing counted, if the limit is reached. Exact under any race."""

    async def give_back(self, limit: Limit, subject: str) -> None:
        """Take back what this transaction has counted."""

    async def space(self, spacing: Spacing, subject: str, now: datetime, *, due: bool = True) -> int | None:
        """Count one more letter; how many that makes. None, and nothing counted, if the last one was too short a time
        ago, unless whether it is `due` does not matter. Exact under any race.
        """

    async def begin_anew(self, spacing: Spacing, subject: str) -> None:
        """Drop what was counted."""

    async def purge(self, now: datetime, most: int) -> int:
        """Delete what is over, so much at most; how much."""


class LoginAttempts(Protocol):
    """How many wrong passwords in a row."""

    async def take(self, counter: AttemptCounter, limits: LoginAttemptLimits, now: datetime) -> CountedAttempt | None:
        """Count one more attempt, before it is checked; as which one. None, and nothing counted, if the counter is
        spent or the last one was too short a time ago. Exact under any race.
        """

    async def give_back(self, counter: AttemptCounter) -> None:
        """Take back one attempt that was counted and then not checked."""

    async def count(self, counter: AttemptCounter) -> AttemptCount | None:
        """What has been counted; None if nothing."""

    async def forgive(self, keys: Sequence[str]) -> None:
        """Begin anew in the counters with these keys, after a right password."""

    async def forgive_all(self, account_id: str, email: str) -> None:
        """Begin anew in every counter of an account and of its email, because it has another password or owner."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete what concerns no account and was not touched since `before`, so much at most; how much."""


class Revocations(Protocol):
    """What ended before its tokens did."""

    async def append(self, revocations: Sequence[Revocation]) -> list[Revocation]:
        """Record them; they come back with their sequence numbers. True for everybody once the transaction commits."""

    async def reach(self, since: datetime, latest: datetime) -> Reach:
        """What to read for knowing all that was not over at `since`: from the first such record on, but for those of a
        time after `latest`, and so of a clock that was ahead.
        """

    async def after(self, sequence: int, reach: Reach, most: int) -> list[Revocation]:
        """The first of those with a greater sequence number within `reach`, in its order, at most so many."""

    async def between(self, after: int, up_to: int, reach: Reach) -> Range:
        """What the record has after one sequence number and up to another, within `reach`."""

    async def purge(self, now: datetime, most: int) -> int:
        """Delete those that can matter to no token any more, so many at most; how many. The newest stays for its number
        alone, without whom it was about.
        """


class Events(Protocol):
    """What happened."""

    async def record(self, *events: Event) -> None:
        """Keep the events; one about an account that was deleted meanwhile is about nobody. Each becomes a line in the
        log as well, once the transaction has committed.
        """

    async def find(self, wanted: EventFilter, most: int) -> list[tuple[int, Event]]:
        """The newest events that fit, the oldest of them first, each with its number."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete the oldest events from before a moment, so many at most; how many."""

    async def detach(self, account_id: str, most: int) -> int:
        """Keep that these things happened, and no more to whom, in which session, from where and how; of so many at
        most, and how many that were.
        """

    async def of_account(self, account_id: str, most: int) -> list[Event]:
        """What happened to an account, the latest first, `most` of it."""

    async def page(self, account_id: str, before: tuple[datetime, int], most: int) -> list[tuple[int, Event]]:
        """What happened to an account, the latest first, each with its number: what was before a moment, or in it with
        a lesser number, at most so much.
        """


class SigningKeys(Protocol):
    """The server's own keys, sealed."""

    async def all(self) -> list[SealedKey]:
        """Every key, newest first, those that are gone among them."""

    async def standing(self) -> Standing:
        """Which keys are not gone, and in which state; little to read, so that everybody can look every second."""

    async def add(self, key: SealedKey) -> bool:
        """Add a next or a current key, unless its use has one by now."""

    async def advance(self, use: KeyUse, made_by: datetime, now: datetime, checks_until: datetime) -> str | None:
        """Let the next key sign from now on, if it was made no later than `made_by`, and retire the current one; the
        new current key's id, None and nothing done otherwise. Of racers one advances.
        """

    async def withdraw(self, kid: str, now: datetime, *, early: bool) -> bool:
        """Let a retired key go if it need not check any more, or a next or retired one if `early`; its private half is
        deleted. False, and nothing done, otherwise.
        """

    async def withdraw_spent(self, now: datetime) -> int:
        """Let every retired key go that need not check any more; how many."""

    async def reencrypt(self, kid: str, old: str, new: str) -> bool:
        """Put what is sealed anew in the place of `old`, if that is still there."""


class ServiceKeys(Protocol):
    """Which services may follow the feed and ask about tokens."""

    async def add(self, key: ServiceKey) -> bool:
        """Keep the key; False, and nothing done, if a service of that name has one."""

    async def with_digest(self, digest: str) -> ServiceKey | None:
        """The key with this digest."""

    async def all(self) -> list[ServiceKey]:
        """Every key in force, by name."""

    async def remove(self, name: str) -> bool:
        """Put the service's key out of force; False if it has none."""


@dataclass(frozen=True)
class Transaction:
    """The ports, inside one transaction. Over when its block is over."""

    accounts: Accounts
    sessions: Sessions
    one_time_tokens: OneTimeTokens
    letters: Letters
    known_devices: KnownDevices
    rate_counters: RateCounters
    login_attempts: LoginAttempts
    revocations: Revocations
    events: Events
    signing_keys: SigningKeys
    service_keys: ServiceKeys


class Store(Protocol):
    """Where the truth lies. What a block committed survives a crash."""

    @property
    def happened(self) -> Mapping[str, int]:
        """How many events of each kind this process has committed."""

    @property
    def connections_in_use(self) -> int:
        """How many there are at this moment."""

    @property
    def connections_limit(self) -> int:
        """How many there may be."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Commits when the block ends, rolls back when it raises. Raises `StoreUnavailable`.

        A flow decides inside the block and refuses outside it: a refusal often has something to write.
        """

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """The same ports for single reads, each statement on its own. Raises `StoreUnavailable`."""

    async def fits(self) -> bool:
        """Whether the schema is the one that this version works with. Raises `StoreUnavailable`."""

    async def ping(self) -> None:
        """Ask for nothing and get it. Raises `StoreUnavailable`."""
