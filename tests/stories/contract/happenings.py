"""What happens beside the requests: people register and sign in, time passes, letters arrive, things break."""

from hashlib import sha256
from typing import Any

from sqlalchemy import delete, select, text, update

from tests.harness.world import FRONT_END
from tests.stories.contract.steps import ADA, BOB, PASSWORD, Happening, Scene, login
from vestibule.model.letters import LetterKind
from vestibule.storage.sql.schema import accounts, one_time_tokens, sessions

VERIFY, RESET = LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD


async def registered(scene: Scene) -> None:
    """Ada has an account, and her letter."""
    await scene.world.register(ADA)
    _note_letters(scene)


async def bob_registered(scene: Scene) -> None:
    await scene.world.register(BOB)


async def letters_arrive(scene: Scene) -> None:
    """The newest secrets are noted as `{code}` and `{token}`."""
    await scene.world.deliver()
    _note_letters(scene)


def enters(by: str = "tab", email: str = ADA, password: str = PASSWORD) -> Happening:
    """Somebody signs in, and has the cookies."""

    async def happen(scene: Scene) -> None:
        assert (await scene.send(login(email, password, by=by))).status_code == 200

    return happen


def passing(**units: float) -> Happening:
    """Time goes by."""

    async def happen(scene: Scene) -> None:
        scene.world.clock.advance(**units)

    return happen


def noted(by: str = "tab", **names: str) -> Happening:
    """Cookies of a browser are written down: `noted(first="refresh_token")` makes `{first}`."""

    async def happen(scene: Scene) -> None:
        scene.notes |= {name: scene.cookies[by][cookie] for name, cookie in names.items()}

    return happen


def renamed(**names: str) -> Happening:
    """A note gets another name before it is overwritten: `renamed(older="token")`."""

    async def happen(scene: Scene) -> None:
        scene.notes |= {name: scene.notes[old] for name, old in names.items()}

    return happen


def mailed(kind: LetterKind, subject: str, path: str) -> Happening:
    """Ada's newest letter: its subject, its link, and that only the SHA-256 of its secret is stored."""

    async def happen(scene: Scene) -> None:
        letter, message = scene.world.mailer.letters[-1], scene.world.mailer.messages[-1]
        secret = scene.world.secret(kind)
        assert (message["To"], message["Subject"]) == (ADA, subject)
        assert letter.link == f"{FRONT_END}/{path}/{secret}"
        assert len(secret) == 64
        assert set(secret) <= set("0123456789abcdef")
        assert all(letter.link in part.get_content() for part in message.iter_parts())
        query = select(one_time_tokens.c.digest).where(one_time_tokens.c.purpose == kind.value)
        assert await _one(scene, query) == sha256(secret.encode()).hexdigest()

    return happen


def letters_sent(count: int) -> Happening:
    """`count` letters have been mailed, all in all."""

    async def happen(scene: Scene) -> None:
        await scene.world.deliver()
        assert len(scene.world.mailer.letters) == count

    return happen


def is_verified(verified: bool) -> Happening:
    """Whether Ada's email is marked verified."""

    async def happen(scene: Scene) -> None:
        assert await _one(scene, select(accounts.c.verified).where(accounts.c.email == ADA)) is verified

    return happen


def counters(parent: int, base: int, current: int) -> Happening:
    """The refresh state of the only session."""

    async def happen(scene: Scene) -> None:
        query = select(sessions.c.parent, sessions.c.base, sessions.c.current)
        async with scene.world.engines.sqlalchemy_reading() as connection:
            assert (await connection.execute(query)).one() == (parent, base, current)

    return happen


async def ada_is_deleted(scene: Scene) -> None:
    async with scene.world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(delete(accounts).where(accounts.c.email == ADA))


async def ada_is_disabled(scene: Scene) -> None:
    async with scene.world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(update(accounts).values(disabled_at=scene.world.clock.now()))


async def events_are_lost(scene: Scene) -> None:
    """The database breaks under the running server."""
    async with scene.world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("DROP TABLE events"))


def _note_letters(scene: Scene) -> None:
    for letter in scene.world.mailer.letters:
        secret = letter.link.rpartition("/")[2]
        scene.notes["code" if letter.kind is VERIFY else "token"] = secret
        scene.secrets.add(secret)


async def _one(scene: Scene, query: Any) -> Any:
    async with scene.world.engines.sqlalchemy_reading() as connection:
        return (await connection.execute(query)).scalar_one()
