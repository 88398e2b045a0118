"""People whom two flows fight over: with sessions, mailed links, letters on their way, and a neighbour who squats."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import insert, select

from tests.harness.world import CHEAP, World
from tests.unit.storage import an_account
from vestibule.crypto.entropy import new_id
from vestibule.crypto.opaque import digest, mint_secret
from vestibule.crypto.passwords import Hasher
from vestibule.flows.identify import Caller
from vestibule.model import refresh_tokens
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.devices import device_tag
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.one_time_tokens import Purpose, issue
from vestibule.model.sessions import Device, Session, begin
from vestibule.model.store import Ports
from vestibule.storage.sql.schema import accounts, known_devices, letters, one_time_tokens, sessions

PASSWORD = "correct horse"
BROWSER = Device("a browser", "192.0.2.7")
_TABLES = (accounts, sessions, one_time_tokens, letters, known_devices)
_LETTERS = (LetterKind.RESET_PASSWORD, LetterKind.VERIFY_EMAIL, LetterKind.EMAIL_CHANGED)


@dataclass(frozen=True)
class Person:
    """An account and what is needed to act on it. `secrets` are those of mailed links, `letters` are claimed."""

    account: Account
    neighbour: "Person | None"
    sessions: list[Session]
    secrets: dict[Purpose, str]
    letters: dict[LetterKind, QueuedLetter]
    device_secret: str

    @property
    def caller(self) -> Caller:
        """By a token of the first session, as it was when that began."""
        session = self.sessions[0]
        authenticated_at = int(session.authenticated_at.timestamp())
        return Caller(session.id, self.account, session.idle_expires_at, authenticated_at=authenticated_at)

    @property
    def client_info(self) -> ClientInfo:
        """The person's own browser."""
        return ClientInfo(BROWSER, device_secrets={device_tag(self.account.id): (self.device_secret,)})

    def refresh_token(self, world: World) -> str:
        """Of the first session, as it was when that began."""
        return refresh_tokens.sign(self.sessions[0], world.env.policy.issuer, world.env.keys.refresh)


@cache
def password_hash() -> str:
    """Of everybody's password."""
    return Hasher(CHEAP).hash(PASSWORD)


async def people(world: World, fresh: list[bool]) -> list[Person]:
    """One for each; a fresh one has never signed in, and has not verified the email.

    One of either is made by the ports, and the others are copies of their rows, a table at a time.
    """
    patterns = {is_fresh: await _pattern(world, is_fresh) for is_fresh in (False, True)}
    rows = {is_fresh: await _rows(world, pattern) for is_fresh, pattern in patterns.items()}
    made: list[Person] = []
    copies: dict[str, list[dict[str, Any]]] = {table.name: [] for table in _TABLES}
    for is_fresh in fresh:
        person, new = _copy(patterns[is_fresh])
        made.append(person)
        for name, of_pattern in rows[is_fresh].items():
            copies[name] += [{column: new.get(value, value) for column, value in row.items()} for row in of_pattern]
    async with world.engines.sqlalchemy_transaction(seconds=None) as connection:
        for table in _TABLES:
            await connection.execute(insert(table), copies[table.name])
    return made


async def _rows(world: World, pattern: Person) -> dict[str, list[dict[str, Any]]]:
    """What belongs to a pattern and to its neighbour, except rows that number themselves."""
    ids = [pattern.account.id, *([pattern.neighbour.account.id] if pattern.neighbour else [])]
    emails = [pattern.account.email, *([pattern.neighbour.account.email] if pattern.neighbour else [])]
    found: dict[str, list[dict[str, Any]]] = {}
    async with world.engines.sqlalchemy_reading() as connection:
        for table in _TABLES:
            theirs = table.c.id.in_(ids) if table is accounts else table.c.account_id.in_(ids)
            if table is letters:
                theirs |= table.c.email.in_(emails)
            found[table.name] = [dict(row._mapping) for row in await connection.execute(select(table).where(theirs))]
    return found


def _copy(person: Person) -> tuple[Person, dict[Any, Any]]:
    """Somebody like the person, and what is in the place of which value in their rows."""
    neighbour, new = _copy(person.neighbour) if person.neighbour else (None, {})
    account = replace(person.account, id=new_id(), email=f"{new_id()}@example.com")
    new |= {person.account.id: account.id, person.account.email: account.email}
    secrets = {purpose: mint_secret() for purpose in person.secrets}
    new |= {digest(person.secrets[purpose]): digest(secret) for purpose, secret in secrets.items()}
    ids = [session.id for session in person.sessions] + [letter.id for letter in person.letters.values()]
    new |= {old: new_id() for old in ids}
    device = mint_secret()
    new |= {digest(person.device_secret): digest(device), _elsewhere(person): f"{new_id()}@new.example"}
    if neighbour is not None:
        new[_elsewhere(person)] = neighbour.account.email
    return (
        Person(
            account,
            neighbour,
            [replace(session, id=new[session.id], account_id=account.id) for session in person.sessions],
            secrets,
            {kind: _letter(letter, new) for kind, letter in person.letters.items()},
            device,
        ),
        new,
    )


def _letter(letter: QueuedLetter, new: dict[Any, Any]) -> QueuedLetter:
    named = {name: getattr(letter, name) for name in ("id", "account_id", "email", "asked_of")}
    return replace(letter, **{name: new.get(value, value) for name, value in named.items()})


def _elsewhere(person: Person) -> str:
    """Where the links to change and to undo went."""
    return person.neighbour.account.email if person.neighbour else f"new-{person.account.email}"


async def _pattern(world: World, fresh: bool) -> Person:
    """With a neighbour who never verified the email that this person once had."""
    async with world.env.store.transaction() as tx:
        neighbour = await _moved_in(world, tx, None, fresh=False)
        person = await _moved_in(world, tx, neighbour, fresh=fresh)
        claimed: dict[str, QueuedLetter] = {}
        while (letter := await tx.letters.claim(world.clock.now())) is not None:
            claimed[letter.id] = letter
    of_both = [{kind: claimed[letter.id] for kind, letter in one.letters.items()} for one in (person, neighbour)]
    return replace(person, letters=of_both[0], neighbour=replace(neighbour, letters=of_both[1]))


async def _moved_in(world: World, tx: Ports, neighbour: Person | None, *, fresh: bool) -> Person:
    """An account with all that belongs to it."""
    now, device = world.clock.now(), mint_secret()
    verified = neighbour is not None and not fresh
    account = an_account(
        email=f"{new_id()}@example.com",
        password_hash=password_hash(),
        verified=verified,
        created_at=now,
        updated_at=now - timedelta(hours=1),
    )
    assert await tx.accounts.add(account)
    begun = [begin(new_id(), account.id, BROWSER, world.env.policy.sessions, now) for _ in range(3)]
    if not fresh:
        for session in begun:
            assert await tx.sessions.open(session, account.epoch)
        await tx.known_devices.add(account.id, digest(device), now, 1)
    person = Person(account, neighbour, begun, {purpose: mint_secret() for purpose in Purpose}, {}, device)
    for purpose, secret in person.secrets.items():
        elsewhere = purpose in {Purpose.CHANGE_EMAIL, Purpose.UNDO_EMAIL_CHANGE}
        email = _elsewhere(person) if elsewhere else account.email
        await tx.one_time_tokens.replace(replace(issue(digest(secret), account, purpose, now), email=email))
    for kind in _LETTERS:
        whose = None if kind is LetterKind.RESET_PASSWORD else account.id
        person.letters[kind] = QueuedLetter(new_id(), kind, now, whose, account.email)
        await tx.letters.queue(person.letters[kind])
    return person
