"""A world with passkeys, and Ada in it."""

from collections.abc import AsyncIterator

import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.backends import Backend
from tests.harness.world import World, world_on
from tests.stories.passkeys import store_passkey
from vestibule.model.passkeys import Passkey


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    async with world_on(backend) as world:
        await world.register()
        yield world


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator()


@pytest.fixture
async def passkey(world: World, authenticator: Authenticator) -> Passkey:
    return await store_passkey(world, authenticator)
