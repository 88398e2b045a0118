"""`model.passkeys.Passkeys` and `Ceremonies`, on both databases."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from tests.harness.world import World
from tests.unit.storage import NOW, stored_account
from vestibule.crypto.entropy import new_id
from vestibule.model.accounts import Account
from vestibule.model.passkeys import MOST_PASSKEYS, Ceremony, Passkey, PasskeyUse
from vestibule.model.store import Store

LATER = NOW + timedelta(hours=1)


def passkey(account: Account, credential_id: str = "AQID", **members: object) -> Passkey:
    made = Passkey(
        id=new_id(),
        account_id=account.id,
        domain="localhost",
        credential_id=credential_id,
        public_key="pQECAyYg",
        sign_count=0,
        aaguid="00000000-0000-0000-0000-000000000000",
        name="Security key",
        transports=("nfc", "usb"),
        user_verified=True,
        backup_eligible=False,
        backed_up=False,
        created_at=NOW,
    )
    return replace(made, **members)  # type: ignore[arg-type]


async def added(store: Store, new: Passkey) -> bool:
    async with store.transaction() as tx:
        await tx.accounts.lock(new.account_id)
        return await tx.passkeys.add(new)


async def test_what_was_added_is_found_by_its_account_and_by_its_credential(store: Store, ada: Account) -> None:
    first, second = passkey(ada), passkey(ada, "BAUG", transports=(), created_at=LATER, backup_eligible=True)
    assert await added(store, second)
    assert await added(store, first)
    async with store.reading() as read:
        assert list(await read.passkeys.of_account(ada.id)) == [first, second]
        assert await read.passkeys.with_credential("BAUG") == second
        assert await read.passkeys.with_credential("baug") is None
        assert await read.passkeys.with_credential("AQI") is None


async def test_a_credential_is_stored_once_whosever_it_is(store: Store, ada: Account) -> None:
    grace = await stored_account(store, email="grace@example.com")
    assert await added(store, passkey(ada))
    assert not await added(store, passkey(ada))
    assert not await added(store, passkey(grace))


async def test_an_account_has_so_many_and_no_more(store: Store, ada: Account) -> None:
    grace = await stored_account(store, email="grace@example.com")
    for number in range(MOST_PASSKEYS):
        assert await added(store, passkey(ada, f"ada{number}"))
    assert not await added(store, passkey(ada, "one more"))
    assert await added(store, passkey(grace, "hers"))


async def test_a_counter_never_falls_and_says_whether_it_grew(store: Store, ada: Account) -> None:
    key = passkey(ada)
    await added(store, key)
    for sent, grew, kept in (
        (0, True, 0),
        (5, True, 5),
        (5, False, 5),
        (4, False, 5),
        (0, False, 5),
        (2**32 - 1, True, 2**32 - 1),
    ):
        async with store.transaction() as tx:
            assert await tx.passkeys.use(key.id, sent, LATER, backed_up=True) == PasskeyUse(counted_on=grew)
            found = await tx.passkeys.with_credential(key.credential_id)
        assert found == replace(key, sign_count=kept, backed_up=True, last_used_at=LATER)


async def test_it_is_renamed_and_removed_by_its_account_alone(store: Store, ada: Account) -> None:
    grace = await stored_account(store, email="grace@example.com")
    key = passkey(ada)
    await added(store, key)
    async with store.transaction() as tx:
        assert not await tx.passkeys.rename(grace.id, key.id, "mine")
        assert await tx.passkeys.remove(grace.id, key.id) is None
        assert await tx.passkeys.rename(ada.id, key.id, "Blue key")
        assert await tx.passkeys.remove(ada.id, key.id) == replace(key, name="Blue key")
        assert await tx.passkeys.remove(ada.id, key.id) is None
        assert not await tx.passkeys.rename(ada.id, key.id, "gone")
        assert await tx.passkeys.use(key.id, 1, LATER, backed_up=False) is None


async def test_the_domain_is_that_of_the_passkeys(store: Store, ada: Account) -> None:
    async with store.reading() as read:
        assert await read.passkeys.domain() is None
    await added(store, passkey(ada))
    async with store.reading() as read:
        assert await read.passkeys.domain() == "localhost"


async def test_they_go_with_their_account(store: Store, ada: Account) -> None:
    await added(store, passkey(ada))
    async with store.transaction() as tx:
        await tx.accounts.remove(ada.id)
        assert await tx.passkeys.with_credential("AQID") is None


async def test_a_row_that_cannot_be_proves_nothing(world: World, ada: Account) -> None:
    if world.engines.dialect != "sqlite":
        return  # PostgreSQL stores nothing else in these columns
    store = world.env.store
    await added(store, passkey(ada))
    await added(store, passkey(ada, "good"))
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("UPDATE passkeys SET sign_count = 'many' WHERE credential_id = 'AQID'"))
    async with store.reading() as read:
        assert await read.passkeys.with_credential("AQID") is None
        assert [each.credential_id for each in await read.passkeys.of_account(ada.id)] == ["good"]


async def test_a_question_is_answered_once(store: Store) -> None:
    one, other = Ceremony(b"a" * 32, LATER), Ceremony(b"b" * 32, LATER)
    async with store.transaction() as tx:
        assert await tx.ceremonies.spend(one)
        assert not await tx.ceremonies.spend(one)
        assert await tx.ceremonies.spend(other)


async def test_a_question_is_deleted_once_it_cannot_be_answered(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.ceremonies.spend(Ceremony(b"a" * 32, LATER))
        assert await tx.ceremonies.purge(LATER, 10) == 0
        assert await tx.ceremonies.purge(LATER + timedelta(microseconds=1), 10) == 1
