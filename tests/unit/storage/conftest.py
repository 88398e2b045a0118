"""The store of a world, and somebody in it."""

import pytest

from tests.harness.world import World
from tests.unit.storage import stored_account
from vestibule.model.accounts import Account
from vestibule.model.store import Store


@pytest.fixture
def store(world: World) -> Store:
    return world.env.store


@pytest.fixture
async def ada(store: Store) -> Account:
    return await stored_account(store)
