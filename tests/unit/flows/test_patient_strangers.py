"""Letters that strangers ask for leave the owner a link that works, whatever they ask for and however patiently."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.unit.flows import EMAIL, NEW_PASSWORD, ask_for_reset, reset, sign_in_status, verify
from tests.unit.mail.test_letters import part
from vestibule.model.letters import LetterKind
from vestibule.model.limits import LetterLimits

RESET = LetterKind.RESET_PASSWORD
AS_SHIPPED = replace(POLICY, letters=LetterLimits.per_hour(to_email=3, for_network=60, gap=timedelta(minutes=5)))


@pytest.fixture
async def ada(backend: Backend) -> AsyncIterator[World]:
    async with world_on(backend, AS_SHIPPED) as world:
        await world.register()
        assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
        yield world


def resets(world: World) -> int:
    return sum(letter.kind is RESET for letter in world.mailer.letters)


@pytest.mark.parametrize("minutes", [0, 1, 11, 61])
@pytest.mark.parametrize("requests", [1, 3, 4, 30])
async def test_g14_however_a_stranger_asks_the_owner_has_a_link_that_works(
    ada: World, requests: int, minutes: int
) -> None:
    """G14: each time that no letter goes out, the last one's link works still, until just before the next may."""
    for _ in range(requests):
        await ask_for_reset(ada)
        await ada.deliver()
        ada.clock.advance(minutes=minutes)
    await ask_for_reset(ada)
    await ada.deliver()
    assert await reset(ada, ada.secret(RESET)) == 200
    assert await sign_in_status(ada, password=NEW_PASSWORD) == 200


async def test_g14_nobody_floods_a_mailbox_by_patience(ada: World) -> None:
    """G14: a dozen letters in a day, and one at a time while the last one is new."""
    for _ in range(24 * 60 // 11):
        for _ in range(2):
            await ask_for_reset(ada)
            await ada.deliver()
        ada.clock.advance(minutes=11)
    assert resets(ada) <= 12


async def test_g14_a_known_device_has_a_count_of_its_own(ada: World) -> None:
    """G14: its owner gets a letter at once, whatever strangers have asked for."""
    home = await ada.sign_in()
    for _ in range(4):
        await ask_for_reset(ada)
        ada.clock.advance(minutes=11)
    await ada.deliver()
    before = resets(ada)
    assert (await home.post("/api/auth/forgotpassword", json={"email": EMAIL})).status_code == 200
    await ada.deliver()
    assert resets(ada) == before + 1
    mine = ada.secret(RESET)
    await ask_for_reset(ada)
    await ada.deliver()
    assert await reset(ada, mine) == 200


async def test_g14_a_link_that_was_used_lets_another_be_asked_for(ada: World) -> None:
    """G14: who reads the mail there is not kept waiting for what strangers have asked for."""
    for _ in range(4):
        await ask_for_reset(ada)
        await ada.deliver()
        ada.clock.advance(minutes=6)
    assert await reset(ada, ada.secret(RESET)) == 200
    before = resets(ada)
    await ask_for_reset(ada)
    await ada.deliver()
    assert resets(ada) == before + 1


@pytest.mark.parametrize(("minutes", "refused"), [(59, False), (60, True)])
async def test_g14_a_letter_says_how_long_its_link_works(ada: World, minutes: int, refused: bool) -> None:
    """G14: 10 minutes, as the contract has it, unless no other may be asked for until later; and that is true."""
    for _ in range(3):
        await ask_for_reset(ada)
        await ada.deliver()
        ada.clock.advance(minutes=6)
    sent = zip(ada.mailer.letters, ada.mailer.messages, strict=True)
    told = [part(message, "plain") for letter, message in sent if letter.kind is RESET]
    lives = [re.search(r"The link works once, for ([^.]+)\.", text) for text in told]
    assert [life and life[1] for life in lives] == ["10 minutes", "10 minutes", "1 hour"]
    ada.clock.advance(minutes=minutes - 6)
    assert (await reset(ada, ada.secret(RESET)) != 200) is refused
