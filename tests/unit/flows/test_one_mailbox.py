"""Letters to many sub-addresses of one mailbox: few, however they are asked for; none of its owner's is held back."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.unit.flows import ask_for_change, ask_for_reset, twice, verify
from vestibule.model.accounts import mailbox_of
from vestibule.model.letters import LetterKind
from vestibule.model.limits import LetterLimits

MANY, DOZEN = 20, 12
LIMITED = replace(POLICY, letters=LetterLimits.per_hour(to_email=3, for_network=100_000))
CONCEALING = replace(LIMITED, conceal_accounts=True, verification_mandatory=True)


@pytest.fixture(params=[LIMITED, CONCEALING], ids=["open", "concealing"])
async def town(backend: Backend, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world_on(backend, request.param) as world:
        yield world


def sub_addresses() -> list[str]:
    return [f"target+{number}@example.com" for number in range(MANY)]


async def register_all(world: World) -> None:
    client = await world.client()
    for email in sub_addresses():
        body = {"name": "Eve", "email": email, **twice("correct horse")}
        assert (await client.post("/api/auth/register", json=body)).status_code == 201


def arrived(world: World) -> int:
    return sum(mailbox_of(letter.to) == "target@example.com" for letter in world.mailer.letters)


async def test_g18_many_registrations_send_few_letters_to_one_mailbox(town: World) -> None:
    """G18: and tomorrow a few again, to anybody who asks again."""
    await register_all(town)
    await town.deliver()
    assert arrived(town) == DOZEN
    town.clock.advance(days=1, seconds=1)
    for email in sub_addresses():
        await ask_for_reset(town, email)
    await town.deliver()
    assert arrived(town) == 2 * DOZEN


async def test_g18_no_kind_of_letter_has_a_count_of_its_own(town: World) -> None:
    """G18: registering, registering again, another verification letter, a forgotten password."""
    for _ in range(2):
        await register_all(town)
        town.clock.advance(minutes=11)
        client = await town.client()
        for email in sub_addresses():
            await client.post("/api/auth/verifyemail", json={"email": email})
            await ask_for_reset(town, email)
        await town.deliver()
    assert arrived(town) == DOZEN


async def test_g18_wanting_to_move_there_counts_too(backend: Backend) -> None:
    """G18: asked for by somebody who is signed in, and whose own email is verified."""
    async with world_on(backend, LIMITED) as world:
        await world.register()
        assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
        browser = await world.sign_in()
        for email in sub_addresses()[: DOZEN + 5]:
            assert await ask_for_change(browser, email) == 200
            await world.deliver()
        assert arrived(world) == DOZEN


async def test_g18_a_verified_email_and_the_mailbox_itself_get_theirs(town: World) -> None:
    """G18: however many sub-addresses strangers register."""
    await town.register("target+home@example.com")
    assert await verify(town, town.secret(LetterKind.VERIFY_EMAIL)) == 200
    await register_all(town)
    await town.deliver()
    await town.register("target@example.com")
    await ask_for_reset(town, "target+home@example.com")
    await town.deliver()
    last = [(letter.to, letter.kind) for letter in town.mailer.letters[-2:]]
    assert last == [
        ("target@example.com", LetterKind.VERIFY_EMAIL),
        ("target+home@example.com", LetterKind.RESET_PASSWORD),
    ]


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("a+b@x.org", "a@x.org"),
        ("a+b+c@x.org", "a@x.org"),
        ("a+@x.org", "a@x.org"),
        ("a@x.org", None),
        ("+a@x.org", None),
    ],
)
def test_g18_a_sub_address_leads_to_a_mailbox(email: str, mailbox: str | None) -> None:
    """G18: what follows the first plus sign names no other mailbox."""
    assert mailbox_of(email) == mailbox
