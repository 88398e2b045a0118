"""E6: what nobody verified is nobody's, for an import too."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import func, insert, select, update

from tests.harness.world import World
from tests.unit.flows import EMAIL, PASSWORD, sign_in_status, verify
from vestibule.flows.import_accounts import ImportListener, ImportReport, Source, import_accounts
from vestibule.model.accounts import Account, Holder
from vestibule.model.imports import ForeignRow, RowConverter
from vestibule.model.letters import LetterKind
from vestibule.storage.sql.accounts import SqlAccounts
from vestibule.storage.sql.schema import accounts, events, login_attempts

HERS = "legacy-1"
# How it is here, how it comes, and whether what is here makes room.
TABLE: dict[str, tuple[dict[str, object], str, bool]] = {
    "verified over unverified": ({}, "true", True),
    "verified over unverified and closed": ({"disabled_at": accounts.c.created_at}, "true", True),
    "verified over unverified from elsewhere": ({"provider": "a provider", "password_hash": None}, "true", True),
    "verified over unverified, registered twice": ({"registered_again_at": accounts.c.created_at}, "true", True),
    "unverified over unverified": ({}, "false", False),
    "verified over verified": ({"verified": True}, "true", False),
    "unverified over verified": ({"verified": True}, "false", False),
    "verified over verified and closed": ({"verified": True, "disabled_at": accounts.c.created_at}, "true", False),
}


class FirstByEmail:
    def row_for(self, email: str, label: str) -> str:
        return label


@dataclass
class Told:
    """What an import said of ids."""

    left_out: list[str] = field(default_factory=list)
    made_room: list[tuple[str, str]] = field(default_factory=list)

    def listener(self) -> ImportListener:
        return ImportListener(
            lambda rows: None,
            lambda row, why: self.left_out.append(row),
            lambda squatter, owner: self.made_room.append((squatter, owner)),
        )


def row(row_id: str, email: str, verified: str) -> ForeignRow:
    password, day = "$2b$10$" + "u" * 53, "2024-01-01"
    return ForeignRow(row_id, "Ada", email, None, verified, password, "user", day, day, "local")


async def bring(world: World, rows: Sequence[ForeignRow], *, dry: bool = False) -> tuple[ImportReport, Told]:
    async def batches() -> AsyncIterator[Sequence[ForeignRow]]:
        yield rows

    told = Told()
    source = Source(batches(), RowConverter(lambda _: True), FirstByEmail())
    return await import_accounts(world.env, source, told.listener(), dry=dry), told


async def here(world: World) -> list[str]:
    async with world.engines.sqlalchemy_reading() as connection:
        return list((await connection.execute(select(accounts.c.id).order_by(accounts.c.id))).scalars())


@pytest.mark.parametrize("dry", [False, True], ids=["for good", "dry"])
@pytest.mark.parametrize("case", TABLE)
async def test_e6_only_what_nobody_verified_makes_room_and_only_for_what_somebody_did(
    world: World, case: str, dry: bool
) -> None:
    """E6: it is told by its id, who was signed in to it is not any more, and looking changes nothing."""
    columns, verified, makes_room = TABLE[case]
    await world.register()
    squatter = await world.sign_in()
    if columns:
        async with world.engines.sqlalchemy_transaction() as connection:
            await connection.execute(update(accounts).values(columns))
    (there,) = await here(world)
    report, told = await bring(world, [row("other", "other@example.com", "false"), row(HERS, EMAIL, verified)], dry=dry)
    assert (told.left_out, told.made_room) == (([], [(there, HERS)]) if makes_room else ([HERS], []))
    assert (report.imported, report.made_room, report.left_out) == (1 + makes_room, makes_room, not makes_room)
    stays = {there} if dry or not makes_room else {HERS}
    assert set(await here(world)) == stays | (set() if dry else {"other"})
    if makes_room and not dry:
        assert (await squatter.get("/api/users/me")).status_code == 401
        assert await sign_in_status(world, EMAIL, PASSWORD) == 400
        async with world.engines.sqlalchemy_reading() as connection:
            gone = select(func.count()).where(events.c.kind == "squatter_removed")
            assert (await connection.execute(gone)).scalar_one() == 1


async def test_e6_doing_it_twice_does_no_harm_and_attempts_at_the_squatter_s_password_are_forgiven(
    world: World,
) -> None:
    await world.register()
    for _ in range(3):
        await sign_in_status(world, EMAIL, "wrong horse")
    rows = [row(HERS, EMAIL, "true")]
    await bring(world, rows)
    async with world.engines.sqlalchemy_reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(login_attempts))).scalar_one() == 0
    report, told = await bring(world, rows)
    assert (report.already_there, report.imported, told.made_room) == (1, 0, [])


async def test_e6_many_make_room_in_one_batch(world: World) -> None:
    """E6: among others that do not."""
    await world.register("pattern@example.com")
    async with world.engines.sqlalchemy_transaction() as connection:
        pattern = (await connection.execute(select(accounts))).mappings().one()
        those = [{**pattern, "id": f"s{n:03}", "email": f"p{n}@example.com", "verified": n % 3 == 0} for n in range(90)]
        await connection.execute(insert(accounts), those)
    report, told = await bring(world, [row(f"l{n:03}", f"p{n}@example.com", "true") for n in reversed(range(120))])
    assert (report.imported, report.made_room, report.left_out) == (90, 60, 30)
    assert sorted(told.made_room) == [(f"s{n:03}", f"l{n:03}") for n in range(90) if n % 3]


async def test_e6_who_verifies_first_stays(world: World) -> None:
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    report, told = await bring(world, [row(HERS, EMAIL, "true")])
    assert (report.left_out, told.left_out, await sign_in_status(world)) == (1, [HERS], 200)


async def test_e6_who_verifies_while_room_is_made_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """E6: what was read before the lock is read again."""
    holders = SqlAccounts.holders

    async def then_verified(of: SqlAccounts, batch: Sequence[Account]) -> dict[str, Holder]:
        found = await holders(of, batch)
        await of._connection.execute(update(accounts).values(verified=True))
        return found

    await world.register()
    monkeypatch.setattr(SqlAccounts, "holders", then_verified)
    report, told = await bring(world, [row(HERS, EMAIL, "true")])
    assert (report.left_out, report.made_room, told.made_room) == (1, 0, [])
    assert await sign_in_status(world) == 200


async def test_i9_a_row_whose_email_is_taken_meanwhile_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders = SqlAccounts.holders

    async def then_taken(of: SqlAccounts, batch: Sequence[Account]) -> dict[str, Holder]:
        found = await holders(of, batch)
        await of.add(replace(batch[0], id="meanwhile"))
        return found

    monkeypatch.setattr(SqlAccounts, "holders", then_taken)
    report, told = await bring(world, [row(HERS, EMAIL, "true")])
    assert (report.imported, report.left_out, told.left_out) == (0, 1, [HERS])


I9 = {
    "who makes room comes with another email": (
        [("one", EMAIL, "true"), ("here", "new@example.com", "false")],
        {"one": EMAIL, "here": "new@example.com", "else": "else@example.com"},
        (2, 0, 0),
    ),
    "and in its turn makes another go": (
        [("one", EMAIL, "true"), ("here", "else@example.com", "true"), ("else", "new@example.com", "false")],
        {"one": EMAIL, "here": "else@example.com", "else": "new@example.com"},
        (3, 0, 0),
    ),
    "whatever their order": (
        [("else", "new@example.com", "false"), ("here", "else@example.com", "true"), ("one", EMAIL, "true")],
        {"one": EMAIL, "here": "else@example.com", "else": "new@example.com"},
        (3, 0, 0),
    ),
    "one id twice": (
        [("same", "a@example.com", "true"), ("same", "b@example.com", "true"), ("other", "b@example.com", "false")],
        {"same": "a@example.com", "other": "b@example.com", "here": EMAIL, "else": "else@example.com"},
        (2, 0, 1),
    ),
    "one row twice": (
        [("same", "a@example.com", "true")] * 2,
        {"same": "a@example.com", "here": EMAIL, "else": "else@example.com"},
        (1, 0, 1),
    ),
    "here already": (
        [("here", "new@example.com", "true"), ("one", "else@example.com", "false")],
        {"here": EMAIL, "else": "else@example.com"},
        (0, 1, 1),
    ),
}


@pytest.mark.parametrize("dry", [False, True], ids=["for good", "dry"])
@pytest.mark.parametrize("case", I9)
async def test_i9_no_row_is_lost_and_each_is_counted_once(world: World, case: str, dry: bool) -> None:
    """I9: imported, there already or left out, with any account that makes room; looking says the same."""
    rows, after, (imported, there, left_out) = I9[case]
    await bring(world, [row("here", EMAIL, "false"), row("else", "else@example.com", "false")])
    report, told = await bring(world, [row(*each) for each in rows], dry=dry)
    assert (report.imported, report.already_there, report.left_out) == (imported, there, left_out)
    assert imported + there + left_out == len(rows)
    assert len(told.left_out) == left_out
    if not dry:
        async with world.engines.sqlalchemy_reading() as connection:
            found = await connection.execute(select(accounts.c.id, accounts.c.email))
            assert {each.id: each.email for each in found} == after
