"""The sign-ins that wait for a second step: which of them an account keeps."""

from datetime import timedelta

from tests.unit.storage import NOW, stored_account
from tests.unit.storage.test_factors import pending
from vestibule.model.pending_sign_ins import origin_of
from vestibule.model.store import Store


async def test_f37_each_origin_keeps_its_newest(store: Store) -> None:
    """F37: and whatever was just added, whatever the clocks of others say."""
    account = await stored_account(store)
    places = [*range(10), None]
    origins = [origin_of(place, f"192.0.2.{number}") for number, place in enumerate([*places, *[None] * 60])]
    async with store.transaction() as tx:
        for number, origin in enumerate(origins):
            assert await tx.pending_sign_ins.add(pending(account, number, origin))
        for number in range(10):
            assert await tx.pending_sign_ins.find(pending(account, number).digest, NOW + timedelta(minutes=2))
        assert not await tx.pending_sign_ins.find(pending(account, 10).digest, NOW + timedelta(minutes=2))
