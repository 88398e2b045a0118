"""O42: an operator who knows nothing yet is told "I cannot sign in", reads one sentence, types one command, and the
person signs in: eight times, each for another reason.
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.harness import backends
from tests.harness.clock import ManualClock
from tests.harness.process import given_keys, run
from tests.harness.world import World, mandatory_verification, world_on
from tests.stories.factors.apps import enrol
from vestibule.flows.clean_up import clean_up
from vestibule.model.clock import SystemClock
from vestibule.model.letters import LetterKind, RefusedForGood
from vestibule.protocol.one_line import one_line

ADA, PASSWORD, NEW = "ada@example.com", "correct horse", "battery staple 7"
WHEN = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"

Step = Callable[[World], Awaitable[None]]


@dataclass(frozen=True)
class Story:
    """What happened; what the first line says of it, as a pattern; the command; and what the person does then."""

    given: Step
    says: str
    mend: str
    then: Step


class Refusing:
    """A mail server that takes nothing for good."""

    async def send(self, _: object) -> str:
        raise RefusedForGood("550 5.1.1 mailbox\x1b[2J full")


async def registered(world: World) -> None:
    await world.register(ADA)


async def verified(world: World) -> None:
    await registered(world)
    await opens_the_link(world)


async def opens_the_link(world: World) -> None:
    client = await world.client()
    code = world.secret(LetterKind.VERIFY_EMAIL)
    assert (await client.get(f"/api/auth/verifyemail/{code}")).status_code == 200


async def signs_in(world: World) -> None:
    await world.sign_in(ADA)


async def opens_and_signs_in(world: World) -> None:
    await world.deliver()
    await opens_the_link(world)
    await signs_in(world)


async def refused(world: World) -> None:
    working = world.env
    world.env = replace(working, mailer=Refusing())
    await registered(world)
    world.env = working


async def mistyped(world: World) -> None:
    await world.register("ada@exmaple.com")


async def opens_the_link_to_the_right_one(world: World) -> None:
    """With the password of the sign-up."""
    await opens_and_signs_in(world)


async def guessed_at(world: World) -> None:
    await verified(world)
    client = await world.client()
    for _ in range(50):
        world.clock.advance(minutes=16)
        wrong = await client.post("/api/auth/login", json={"email": ADA, "password": "wrong horse"})
        assert wrong.status_code == 400
    right = await client.post("/api/auth/login", json={"email": ADA, "password": PASSWORD})
    assert right.status_code == 400


async def disabled(world: World) -> None:
    await verified(world)
    status, _, fault = command(world, "users", "disable", ADA)
    assert status == 0, fault


async def reset_unread(world: World) -> None:
    await verified(world)
    client = await world.client()
    assert (await client.post("/api/auth/forgotpassword", json={"email": ADA})).status_code == 200
    await world.deliver()


async def sets_a_password(world: World) -> None:
    await world.deliver()
    client, code = await world.client(), world.secret(LetterKind.RESET_PASSWORD)
    body = {"password": NEW, "passwordConfirm": NEW}
    assert (await client.patch(f"/api/auth/resetpassword/{code}", json=body)).status_code == 200
    await world.sign_in(ADA, NEW)


async def lost_the_app(world: World) -> None:
    await verified(world)
    await enrol(world, await world.sign_in(ADA))


async def waits_a_day(world: World) -> None:
    await world.deliver()
    world.clock.advance(days=2)
    await clean_up(world.env)
    await signs_in(world)


async def reused(world: World) -> None:
    await verified(world)
    client = await world.sign_in(ADA)
    first = client.cookies["refresh_token"]
    for _ in range(2):
        world.clock.advance(minutes=1)
        assert (await client.post("/api/auth/refresh")).status_code == 200
    thief = await world.client()
    thief.cookies.set("refresh_token", first)
    assert (await thief.post("/api/auth/refresh")).status_code == 403
    assert (await client.post("/api/auth/refresh")).status_code == 403


STORIES = {
    "never verified": Story(
        registered,
        f"because the email was never verified; the link was mailed on {WHEN} and not opened.",
        f"vestibule users verify {ADA}",
        signs_in,
    ),
    "letter refused by the mail server": Story(
        refused,
        "waits for the email that verifies the address, which the mail server refused: 550 5.1.1 mailbox.*full.",
        "vestibule mail retry [0-9a-f]{8}",
        opens_and_signs_in,
    ),
    "typed the wrong email at sign-up": Story(
        mistyped,
        f"has no account; ada@exmaple.com signed up on {WHEN} and never verified it, so that is probably a typo.",
        f"vestibule users set-email ada@exmaple.com {ADA}",
        opens_the_link_to_the_right_one,
    ),
    "too many wrong passwords": Story(
        guessed_at,
        r"typed too many wrong passwords, or somebody did, from 192.0.2.7 \(51\): none is checked until it is unlocked "
        "or the password is reset.",
        f"vestibule users unlock {ADA}",
        signs_in,
    ),
    "disabled": Story(
        disabled,
        f"cannot sign in, because the account was disabled on {WHEN}.",
        f"vestibule users enable {ADA}",
        signs_in,
    ),
    "password forgotten and reset letters in the junk": Story(
        reset_unread,
        f"was mailed a reset link on {WHEN} and has not used it: ask them to look in the junk folder.",
        f"vestibule users send-reset {ADA}",
        sets_a_password,
    ),
    "lost second factor": Story(
        lost_the_app,
        f"needs a second factor, last used on {WHEN}: if it is lost, it has to be reset.",
        f"vestibule users reset-factors {ADA}",
        waits_a_day,
    ),
    "session ended as reused": Story(
        reused,
        f"was signed out on {WHEN}, because a refresh token was used twice: signing in again works, and a new password "
        "is wise if the session was stolen.",
        f"vestibule users send-reset {ADA}",
        sets_a_password,
    ),
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """One whose clock is two days behind that of commands: what happens happened the day before yesterday."""
    clock = ManualClock()
    clock.advance(seconds=(SystemClock().now() - clock.now()).total_seconds())
    clock.advance(days=-2)
    async with (
        backends.fresh("sqlite", tmp_path) as backend,
        world_on(backend, mandatory_verification(), clock=clock) as world,
    ):
        yield world


def command(world: World, *arguments: str) -> tuple[int, str, str]:
    """The status of a command, and what it says."""
    settings = {"DATABASE_URL": world.backend.database_url, "VESTIBULE_EMAIL_VERIFICATION": "mandatory"}
    with TemporaryDirectory() as folder:
        done = run(Path(folder), *arguments, **settings, **given_keys(), VESTIBULE_SECRET_KEY=backends.SECRET)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
async def test_o42_the_sentence_the_command_and_the_person_signs_in(world: World, story: Story) -> None:
    await story.given(world)
    status, page, fault = command(world, "users", "show", ADA)
    assert status == 0, fault
    first, mend, *_ = page.splitlines()
    assert re.fullmatch(f"{re.escape(ADA)} .*{story.says}", first), first
    assert re.fullmatch(f"Mend it: {story.mend}", mend), mend
    told = json.loads(command(world, "users", "show", ADA, "--json")[1])
    assert (one_line(told["sentence"]), f"Mend it: {told['mend']}") == (first, mend)
    typed = mend.split()[3:]
    asks = ("--yes",) if typed[1] == "reset-factors" else ()
    status, _, fault = command(world, *typed, *asks)
    assert status == 0, fault
    world.clock.advance(days=2, minutes=5)
    await story.then(world)
    if "probably" not in told:
        status, page, _ = command(world, "users", "show", ADA)
        assert page.splitlines()[0].startswith(f"{ADA} can sign in with the right password; the last time was"), page
