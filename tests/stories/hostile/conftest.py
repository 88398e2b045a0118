"""What the tests of this folder share."""

from collections.abc import AsyncIterator

import pytest

from tests.stories.hostile.asking import Listener


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with Listener().open() as listening:
        yield listening
