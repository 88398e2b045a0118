"""Letters that strangers ask for: few, without telling, and at the same price for a known and an unknown email."""

import ipaddress
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import update

from tests.harness.backends import Backend
from tests.harness.statements import statements
from tests.harness.world import POLICY, World, world_on
from tests.unit.flows import EMAIL, twice, verify
from vestibule.model.letters import LetterKind, NotSent
from vestibule.model.limits import LetterLimits, network_of
from vestibule.storage.sql.schema import accounts

FORGOT, RESEND, REGISTER = "/api/auth/forgotpassword", "/api/auth/verifyemail", "/api/auth/register"
STRICT = replace(POLICY, letters=LetterLimits.per_hour(to_email=3, for_network=60))
CONCEALING = replace(POLICY, conceal_accounts=True, verification_mandatory=True)
UNKNOWN = "eve@example.com"  # as long as Ada's


def body(path: str, email: str) -> dict[str, str]:
    """What is sent to ask for a letter there."""
    return {"email": email} | ({"name": "Ada", **twice("correct horse")} if path == REGISTER else {})


def comparable(answer: httpx.Response) -> object:
    """The whole answer, without what is new in each."""
    shown = answer.json()
    for name in ("id", "email"):
        shown.get("data", {}).get("user", {}).pop(name, None)
    return answer.status_code, shown, sorted(pair for pair in answer.headers.multi_items() if pair[0] != "x-request-id")


class DeadMailer:
    """A mail server that is down."""

    async def send(self, letter: object) -> None:
        raise NotSent("connection refused")


@pytest.mark.parametrize("path", [FORGOT, RESEND])
async def test_g8_fifty_requests_send_three_letters_and_fifty_equal_answers(backend: Backend, path: str) -> None:
    async with world_on(backend, STRICT) as world:
        await world.register()
        client, answers, sent = await world.client(), [], len(world.mailer.letters)
        for _ in range(50):
            answers.append(comparable(await client.post(path, json=body(path, EMAIL))))
            await world.deliver()
            world.clock.advance(milliseconds=10)
        assert all(answer == answers[0] for answer in answers)
        assert len(world.mailer.letters) - sent == 3
        world.clock.advance(hours=1)
        await client.post(path, json=body(path, EMAIL))
        await world.deliver()
        assert len(world.mailer.letters) - sent == 4


async def test_g8_a_dozen_letters_in_a_day_are_enough(backend: Backend) -> None:
    async with world_on(backend, STRICT) as world:
        await world.register()
        client, sent = await world.client(), len(world.mailer.letters)
        for _ in range(12):
            for _ in range(4):
                await client.post(FORGOT, json=body(FORGOT, EMAIL))
                await world.deliver()
                world.clock.advance(seconds=1)
            world.clock.advance(hours=1)
        assert len(world.mailer.letters) - sent == 7


async def test_g8_one_network_asks_for_no_more_than_its_share(backend: Backend) -> None:
    policy = replace(POLICY, letters=LetterLimits.per_hour(to_email=3, for_network=5))
    async with world_on(backend, policy) as world:
        people = [f"person{n}@example.com" for n in range(8)]
        for email in people:
            await world.register(email)
        client, sent = await world.client(), len(world.mailer.letters)
        answers = [comparable(await client.post(FORGOT, json=body(FORGOT, email))) for email in people]
        await world.deliver()
        assert len(world.mailer.letters) - sent == 5
        assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("minutes", [0, 11], ids=["at once", "when it can be registered anew"])
@pytest.mark.parametrize("down", [False, True], ids=["mail works", "SMTP is down"])
@pytest.mark.parametrize("path", [FORGOT, RESEND, REGISTER])
async def test_g6_g7_known_and_unknown_are_alike_in_words_and_in_statements(
    backend: Backend, path: str, down: bool, minutes: int
) -> None:
    async with world_on(backend, CONCEALING) as world:
        await world.register()
        world.clock.advance(minutes=minutes)
        client = await world.client()
        if down:
            world.env = replace(world.env, mailer=DeadMailer())
        seen = []
        for email in (EMAIL, UNKNOWN):
            with statements() as sent:
                seen.append((comparable(await client.post(path, json=body(path, email))), len(sent)))
            await world.deliver()
        assert seen[0] == seen[1]


@pytest.mark.parametrize("state", ["unverified", "verified", "disabled", "without a password"])
async def test_g6_the_state_of_an_account_is_not_told(world: World, state: str) -> None:
    await world.register()
    changes = {
        "unverified": {"verified": False},
        "verified": {"verified": True},
        "disabled": {"disabled_at": world.clock.now()},
        "without a password": {"password_hash": None},
    }
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(update(accounts).values(changes[state]))
    client = await world.client()
    for path in (FORGOT, RESEND):
        answers = [comparable(await client.post(path, json=body(path, email))) for email in (EMAIL, UNKNOWN)]
        assert answers[0] == answers[1]


async def test_g6_concealed_registration_tells_the_owner_and_nobody_else(backend: Backend) -> None:
    async with world_on(backend, CONCEALING) as world:
        await world.register()
        assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
        answer = await (await world.client()).post(REGISTER, json=body(REGISTER, EMAIL))
        assert answer.status_code == 201
        await world.deliver()
        letter = world.mailer.letters[-1]
        assert (letter.kind, letter.to) == (LetterKind.EMAIL_TAKEN, EMAIL)
        assert letter.link == "http://localhost:3000/forgotpassword"


async def test_the_letter_is_in_the_accounts_language_else_the_requests_else_the_default(world: World) -> None:
    for email, language in (("de@example.com", "de-AT,en;q=0.5"), ("it@example.com", "it")):
        client = await world.client()
        client.headers["Accept-Language"] = language
        await client.post(REGISTER, json=body(REGISTER, email))
        client.headers["Accept-Language"] = "fr"
        await client.post(FORGOT, json=body(FORGOT, email))
    await world.deliver()
    assert [(letter.to[:2], letter.kind.value, letter.language) for letter in world.mailer.letters] == [
        ("de", "verify_email", "de"),
        ("de", "reset_password", "de"),
        ("it", "verify_email", "en"),
        ("it", "reset_password", "fr"),
    ]


NETWORKS = {
    "192.0.2.7": "192.0.2.7",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8:1:2::9": "2001:db8:1:2::/64",
    "::ffff:192.0.2.7": "192.0.2.7",
    "": "",
    "unix": "unix",
}


@pytest.mark.parametrize(("address", "network"), NETWORKS.items(), ids=ascii)
def test_a_network_is_an_address_or_a_64(address: str, network: str) -> None:
    assert network_of(address) == network
    if network.endswith("/64"):
        assert ipaddress.ip_address(address) in ipaddress.ip_network(network)
