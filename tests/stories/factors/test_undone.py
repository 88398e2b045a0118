"""A thief who has a session and the password adds a factor and moves the account to an email of their own. The owner
undoes that by the mailed link: the thief's factor goes, whether it was added before the move or after it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.forms import csrf_in
from tests.harness.world import BASE, World
from tests.stories import passkeys
from tests.stories.factors.apps import (
    ADA,
    CODES,
    LOGIN,
    PASSWORD,
    App,
    enrol,
    first_step,
    prove,
    second_step,
)
from tests.stories.passkeys.test_second_step import second_step as second_passkey
from tests.unit.flows import DONE, ask_for_change, confirm, verify
from tests.unit.flows import reset as set_password
from tests.unit.web.authenticator_app import APP, SECURITY, begin
from tests.unit.web.authenticator_app import CODES as CODES_PAGE
from tests.unit.web.test_passkey_list import send
from vestibule.flows.find_people import find_account
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.one_time_tokens import UNDO_POSSIBLE_FOR

THIEF = "thief@example.com"
REMOVED = "Also removed, because they were added shortly before"
WORDS = {"totp": "authenticator app", "passkey": "passkeys", "recovery_code": "recovery codes"}


@dataclass
class Story:
    """What was added, by whomever, and can be proven: the app, and the passkeys."""

    world: World
    browser: httpx.AsyncClient
    email: str = ADA
    app: App | None = None
    keys: list[Authenticator] = field(default_factory=list)

    async def sign_in(self) -> None:
        """A new session of the strongest level."""
        self.browser = await self.world.client(origin=BASE)
        if self.keys:
            assert (await passkeys.sign_in(self.browser, self.keys[-1])).status_code == 200
        elif self.app is not None:
            await first_step(self.browser, self.email)
            assert await second_step(self.browser, self.app.next_code()) == "ok"
        else:
            body = {"email": self.email, "password": PASSWORD}
            assert (await self.browser.post(LOGIN, json=body)).status_code == 200


async def adds_app_by_api(story: Story) -> None:
    story.app, _ = await enrol(story.world, story.browser)
    await prove(story.browser, story.app)


async def adds_app_by_page(story: Story) -> None:
    _, totp = await begin(story.browser)
    story.app = App(totp, story.world.clock)
    page = await story.browser.get(APP)
    answer = await story.browser.post(APP, data={"csrf": csrf_in(page), "code": story.app.code()})
    assert answer.status_code == DONE
    await prove(story.browser, story.app)


async def adds_passkey_by_api(story: Story) -> None:
    story.keys.append(made := Authenticator())
    assert (await passkeys.add(story.browser, made)).status_code == 201


async def adds_passkey_by_page(story: Story) -> None:
    story.keys.append(made := Authenticator())
    assert (await send(story.browser, made)).status_code == DONE
    assert (await passkeys.step_up(story.browser, made)).status_code == 200


async def makes_codes_by_api(story: Story) -> None:
    assert (await story.browser.post(CODES)).status_code == 200


async def makes_codes_by_page(story: Story) -> None:
    csrf = csrf_in(await story.browser.get(SECURITY))
    answer = await story.browser.post(f"{CODES_PAGE}/new", data={"csrf": csrf})
    assert answer.headers["location"] == CODES_PAGE


Add = Callable[[Story], Awaitable[None]]
ADDS: dict[Add, str] = {
    adds_app_by_api: "totp",
    adds_app_by_page: "totp",
    adds_passkey_by_api: "passkey",
    adds_passkey_by_page: "passkey",
    makes_codes_by_api: "recovery_code",
    makes_codes_by_page: "recovery_code",
}
WHEN = ("long before", "before", "since")
# Codes come with another factor only.
ROWS = [
    pytest.param(add, when, older, id=f"{add.__name__}-{when}-{'beside an older one' if older else 'as the first'}")
    for add, kind in ADDS.items()
    for when in WHEN
    for older in (False, True)
    if older or kind != "recovery_code"
]


async def an_account(world: World, older: Add | None) -> Story:
    """Ada's account with a session; `older` is her own factor, which she has had for long."""
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    story = Story(world, await world.client(origin=BASE))
    await story.sign_in()
    if older is not None:
        await older(story)
        await passes(story, UNDO_POSSIBLE_FOR.total_seconds() + 60)
    return story


async def passes(story: Story, seconds: float) -> None:
    story.world.clock.advance(seconds=seconds)
    await story.sign_in()


async def moves(story: Story) -> None:
    """The thief gives the account another email."""
    assert await ask_for_change(story.browser, THIEF) == 200
    await story.world.deliver()
    assert await confirm(story.browser, story.world.secret(LetterKind.CONFIRM_NEW_EMAIL)) == DONE
    await story.world.deliver()
    story.email = THIEF


async def stolen(world: World, add: Add, when: str, older: Add | None) -> Story:
    """The thief has added a factor, and moved the account."""
    story = await an_account(world, older)
    if when != "since":
        await add(story)
        await passes(story, 60 if when == "before" else UNDO_POSSIBLE_FOR.total_seconds() + 60)
    await moves(story)
    if when == "since":
        await passes(story, 60)
        await add(story)
    return story


def own(kind: str) -> Add:
    """How the owner came to an older factor of another kind than the thief's."""
    return adds_app_by_api if kind == "passkey" else adds_passkey_by_api


def expected(kind: str, when: str, older: bool) -> set[str]:
    """The kinds that go with the undone change."""
    if when == "long before":
        return set()
    return {kind} if older else {kind, "recovery_code"}


async def undo(world: World) -> httpx.Response:
    """The owner presses the button; the page to which that leads."""
    owner = await world.client(origin=BASE)
    path = f"/undoemail/{world.secret(LetterKind.EMAIL_CHANGED)}"
    assert "or in the 3 days before it" in (await owner.get(path)).text
    answer = await owner.post(path)
    assert answer.status_code == DONE
    await world.deliver()
    return await owner.get(answer.headers["location"])


def named(text: str) -> set[str]:
    """The kinds that a text says were removed."""
    if REMOVED not in " ".join(text.split()):
        return set()
    return {kind for kind, words in WORDS.items() if words in text.partition("Also removed")[2]}


async def stored(world: World) -> dict[str, int]:
    """How many of each kind the account has."""
    async with world.env.store.reading() as read:
        left = await read.factors.of(await account_id(world))
    return {"totp": int(left.totp), "passkey": left.passkeys, "recovery_code": left.recovery_codes_left}


async def removals(world: World) -> list[str]:
    """The kinds in the account's events of removed factors."""
    async with world.env.store.reading() as read:
        events = await read.events.of_account(await account_id(world), 100)
    return sorted(event.detail["factor"] for event in events if event.kind is EventKind.FACTOR_REMOVED)


def reset_letter(world: World) -> list[str]:
    """Both parts of the newest letter with a link for a new password."""
    newest = max(i for i, letter in enumerate(world.mailer.letters) if letter.kind is LetterKind.RESET_PASSWORD)
    parts = world.mailer.messages[newest].walk()
    return [str(part.get_content()) for part in parts if part.get_content_maintype() == "text"]


async def account_id(world: World) -> str:
    found = await find_account(world.env, ADA) or await find_account(world.env, THIEF)
    assert found is not None
    return found.id


@pytest.mark.any_engine
@pytest.mark.parametrize(("add", "when", "older"), ROWS)
async def test_f9_what_was_added_around_an_undone_change_goes_and_the_owner_is_told(
    world: World, add: Add, when: str, older: bool
) -> None:
    """F9: by the page, both parts of the letter, and an event for each. An older factor stays."""
    kind = ADDS[add]
    await stolen(world, add, when, own(kind) if older else None)
    before = await stored(world)
    page, gone = await undo(world), expected(kind, when, older)
    assert await stored(world) == {each: 0 if each in gone else number for each, number in before.items()}
    assert await removals(world) == sorted(gone)
    assert [named(text) for text in (page.text, *reset_letter(world))] == [gone] * 3


@pytest.mark.parametrize("older", [False, True])
async def test_f9_the_owner_finds_no_passkey_of_the_thief_in_the_list(world: World, older: bool) -> None:
    """F9: with a new password, and the older passkey if there is one, the owner is in; the thief's signs in no more."""
    story = await stolen(world, adds_passkey_by_page, "before", adds_passkey_by_page if older else None)
    *own_keys, thief_s = story.keys
    await undo(world)
    assert await set_password(world, world.secret(LetterKind.RESET_PASSWORD), PASSWORD) == 200
    refused = await passkeys.sign_in(await world.client(origin=BASE), thief_s)
    assert (refused.status_code, refused.json()["code"]) == (404, "passkey_unknown")
    story.email, story.app, story.browser = ADA, None, await world.client(origin=BASE)
    if own_keys:
        await first_step(story.browser)
        assert (await second_passkey(story.browser, own_keys[0])).status_code == 200
    story.keys = own_keys
    await story.sign_in()
    assert len((await story.browser.get(passkeys.MINE)).json()["data"]["passkeys"]) == len(own_keys)
    text = (await story.browser.get(SECURITY)).text
    assert (text.count("Remove passkey"), "Way to sign in removed" in text) == (len(own_keys), True)


async def test_f9_no_url_makes_the_page_say_that_a_factor_was_removed(world: World) -> None:
    browser = await world.client(origin=BASE)
    path = "/checkemail?about=taken_back&removed=passkey"
    assert named((await browser.get(path)).text) == set()
    await browser.post("/forgotpassword", data={"email": ADA})
    assert named((await browser.get(path)).text) == set()
