"""A transaction that the database ends for the sake of another is decided again, and nothing else is done twice."""

import ast
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select, text

from tests.harness.backends import Backend
from tests.harness.world import World, world_on
from tests.stories.attempts.test_enumeration import WatchedHasher
from tests.unit.storage import an_account
from vestibule import flows
from vestibule.crypto.entropy import new_id
from vestibule.flows.retry import WAITS
from vestibule.model.errors import StoreUnavailable
from vestibule.model.letters import LetterKind
from vestibule.storage.sql.schema import accounts, events, known_devices, letters, one_time_tokens

EMAIL = "ada@example.com"
RIGHT = "correct horse"
PERSON = {"name": "Ada", "email": "bob@example.com", "password": RIGHT, "passwordConfirm": RIGHT}
STEPS = ("sign in", "sign in wrongly", "register", "reset")
ROOM = Path(flows.__file__).parent
RETRY = "retry_on_conflict"


@pytest.fixture
async def conflicting(postgresql: Backend) -> AsyncIterator[tuple[World, WatchedHasher]]:
    """A world with Ada in it, whose database can be told to end a number of transactions."""
    hasher = WatchedHasher()
    async with world_on(postgresql, hasher=hasher) as world:
        await world.register()
        client = await world.client()
        await client.post("/api/auth/forgotpassword", json={"email": EMAIL})
        await world.deliver()
        hasher.done.clear()
        yield world, hasher


async def end_transactions(world: World, times: int, code: str = "40001") -> None:
    """Have PostgreSQL end the next `times` transactions that write an event, at their end: no sequence is reset."""
    async with world.engines.sqlalchemy_transaction() as connection:
        for statement in (
            "CREATE SEQUENCE ended",
            f"""
            CREATE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('ended') <= {times} THEN RAISE EXCEPTION 'for the sake of another' USING ERRCODE = '{code}';
                END IF; RETURN NULL; END $$
            """,
            """
            CREATE CONSTRAINT TRIGGER give_way AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION give_way()
            """,
        ):
            await connection.execute(text(statement))


async def ask(world: World, step: str) -> httpx.Response:
    client = await world.client()
    if step == "register":
        return await client.post("/api/auth/register", json=PERSON)
    if step == "reset":
        path = f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
        return await client.patch(path, json={"password": "battery staple", "passwordConfirm": "battery staple"})
    password = RIGHT if step == "sign in" else "wrong horse"
    return await client.post("/api/auth/login", json={"email": EMAIL, "password": password})


async def counts(world: World) -> dict[str, int]:
    async with world.engines.sqlalchemy_reading() as connection:
        tables = (accounts, events, letters, known_devices, one_time_tokens)
        rows = {t.name: (await connection.execute(select(func.count()).select_from(t))).scalar_one() for t in tables}
        guessed = await connection.execute(text("SELECT coalesce(sum(failures), 0) FROM login_attempts"))
    return rows | {"login_attempts": int(guessed.scalar_one())}


@pytest.mark.parametrize("code", ["40001", "40P01", "23503"])
@pytest.mark.parametrize("step", STEPS)
async def test_d1_a_conflict_is_decided_again_and_nothing_is_done_twice(
    conflicting: tuple[World, WatchedHasher], step: str, code: str
) -> None:
    world, hasher = conflicting
    before = await counts(world)
    await end_transactions(world, len(WAITS), code)
    answer = await ask(world, step)
    assert answer.status_code == {"sign in wrongly": 400, "register": 201}.get(step, 200), answer.text
    added = {name: count - before[name] for name, count in (await counts(world)).items() if count != before[name]}
    assert added.pop("events") == 1
    assert (
        added
        == {
            "sign in": {"known_devices": 1},
            "sign in wrongly": {"login_attempts": 1},
            "register": {"accounts": 1, "letters": 1},
            "reset": {"known_devices": 1, "letters": 1, "one_time_tokens": -2},
        }[step]
    )
    assert hasher.done.count("match") == (1 if step.startswith("sign in") else 0)


@pytest.mark.parametrize("step", STEPS)
async def test_d1_a_conflict_without_end_is_503_and_nothing_is_done(
    conflicting: tuple[World, WatchedHasher], step: str
) -> None:
    world, _ = conflicting
    before = await counts(world)
    await end_transactions(world, 1_000_000)
    answer = await ask(world, step)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    after = await counts(world)
    # The attempt was counted in a transaction of its own, before the password was looked at.
    assert after == before | {"login_attempts": after["login_attempts"]}


@pytest.mark.parametrize("code", ["40001", "40P01", "23503"])
async def test_d1_a_log_out_is_decided_again_and_takes_place_once(
    conflicting: tuple[World, WatchedHasher], code: str
) -> None:
    """D1: also without a transaction around its one statement."""
    world, _ = conflicting
    client = await world.sign_in()
    before = await counts(world)
    await end_transactions(world, len(WAITS), code)
    assert (await client.post("/api/auth/logout")).status_code == 200
    assert await counts(world) == before | {"events": before["events"] + 1}
    assert (await client.get("/api/users/me")).status_code == 401


async def test_d1_a_row_that_refers_to_nobody_is_a_conflict(world: World) -> None:
    """D1: on both databases, and not a mistake of ours."""
    ada = an_account()
    with pytest.raises(StoreUnavailable) as conflict:
        async with world.env.store.transaction() as tx:
            await tx.known_devices.add(ada.id, new_id(), world.clock.now(), 1)
    assert conflict.value.conflict


def owners() -> Iterator[tuple[str, ast.AsyncFunctionDef, list[ast.AsyncWith]]]:
    """Every function of a flow that opens transactions."""
    for path in sorted(ROOM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef):
                opened = [inner for inner in ast.walk(node) if isinstance(inner, ast.AsyncWith) and _opens(inner)]
                if opened:
                    yield f"{path.stem}.{node.name}", node, opened


def _opens(block: ast.AsyncWith) -> bool:
    return any(ast.unparse(item.context_expr).endswith((".transaction()", ".steps()")) for item in block.items)


def test_d1_every_transaction_of_a_flow_can_be_decided_again() -> None:
    """D1: its function owns it alone, and waits for nothing before it, so that nothing else is repeated."""
    found = list(owners())
    assert len(found) > 30
    for name, function, opened in found:
        assert [ast.unparse(decorator) for decorator in function.decorator_list] == [RETRY], name
        assert len(opened) == 1, name
        waits = [node.lineno for node in ast.walk(function) if isinstance(node, ast.Await)]
        assert all(line > opened[0].lineno for line in waits), name
        loops = [node for node in ast.walk(function) if isinstance(node, ast.For | ast.While | ast.AsyncFor)]
        assert not any(opened[0] in ast.walk(loop) for loop in loops), name
