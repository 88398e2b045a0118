"""`model.devices.KnownDevices` and `Sessions.had`, on both databases."""

from datetime import timedelta

from tests.unit.storage import NOW, stored_account, stored_session
from vestibule.model.sessions import Device
from vestibule.model.store import Store


async def test_a_device_is_known_to_the_account_that_it_signed_in_to(store: Store) -> None:
    ada, grace = await stored_account(store), await stored_account(store, email="grace@example.com")
    async with store.transaction() as tx:
        assert not await tx.known_devices.places(ada.id)
        assert not await tx.known_devices.seen(ada.id, "digest", NOW)
        await tx.known_devices.add(ada.id, "digest", NOW, 3)
        await tx.known_devices.add(ada.id, "digest", NOW, 3)
        assert await tx.known_devices.places(ada.id) == {3: 1}
        assert await tx.known_devices.seen(ada.id, "digest", NOW)
        assert not await tx.known_devices.seen(ada.id, "another", NOW)
        assert await tx.known_devices.place(ada.id, ["another", "digest"]) == 3
        assert await tx.known_devices.place(ada.id, ["another"]) is None
        assert await tx.known_devices.place(grace.id, ["digest"]) is None
        assert not await tx.known_devices.places(grace.id)
        assert not await tx.known_devices.seen(grace.id, "digest", NOW)


async def test_forgetting_leaves_other_accounts_theirs(store: Store) -> None:
    ada, grace = await stored_account(store), await stored_account(store, email="grace@example.com")
    async with store.transaction() as tx:
        for account in (ada, grace):
            await tx.known_devices.add(account.id, "digest", NOW, 1)
        await tx.known_devices.delete_of(ada.id)
        assert not await tx.known_devices.places(ada.id)
        assert await tx.known_devices.places(grace.id)


async def test_a_session_from_there_was_had_if_it_began_earlier(store: Store) -> None:
    ada = await stored_account(store)
    await stored_session(store, ada)
    late = NOW + timedelta(seconds=1)
    async with store.reading() as read:
        assert await read.sessions.seen_on_device(ada.id, Device("a browser", "192.0.2.7"), late)
        assert not await read.sessions.seen_on_device(ada.id, Device("a browser", "192.0.2.7"), NOW)
        assert not await read.sessions.seen_on_device(ada.id, Device("a browser", "192.0.2.8"), late)
        assert not await read.sessions.seen_on_device(ada.id, Device("another", "192.0.2.7"), late)
        assert not await read.sessions.seen_on_device("nobody", Device("a browser", "192.0.2.7"), late)
