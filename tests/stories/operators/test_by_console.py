"""O42: the same eight stories as by command line, by the console: the operator searches, reads the sentence on top,
presses the button below it, and the person signs in.
"""

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest

from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.world import World, mandatory_verification, world_on
from tests.stories.operators.people import Browser, operator_in
from tests.stories.operators.test_by_command_line import ADA, STORIES
from tests.stories.operators.test_search_page import AT, shown
from vestibule.model.accounts import Role
from vestibule.model.clock import SystemClock

TYPO = "typed the wrong email at sign-up"
ACTS = {
    "never verified": ("The email address was never confirmed. The last link was sent on", "verify"),
    "letter refused by the mail server": ("The mail server refused our email on", "send-verification"),
    TYPO: ("The email address was probably typed wrong at sign-up: there is ada@exmaple.com", "set-email"),
    "too many wrong passwords": ("Too many wrong passwords", "unlock"),
    "disabled": ("The account has been disabled since", "enable"),
    "password forgotten and reset letters in the junk": ("A link for a new password was sent on", "send-reset"),
    "lost second factor": ("The account needs a second step.", "reset-factors"),
    "session ended as reused": ("because it was used from two places", "send-reset"),
}
"""What the sentence says, and the act that mends it."""


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    clock = ManualClock()
    clock.advance(seconds=(SystemClock().now() - clock.now()).total_seconds())
    async with world_on(backend, mandatory_verification(), clock=clock) as world:
        yield world


async def find(operator: Browser, email: str) -> tuple[str, str]:
    """The path of the person that the search leads to, and the top of the page that says why they cannot sign in: that
    of the search, if nobody has the email.
    """
    page = (await operator.client.get(AT, params={"search": email})).text
    *_, found = re.findall(rf'href="({AT}/[^"?]+)"', page)
    at = unescape(found)
    shows = page if 'id="why"' in page else (await operator.client.get(at)).text
    return at, shows.partition("<details")[0] + "</main>"


@pytest.mark.parametrize("name", ACTS)
async def test_o42_the_operator_finds_reads_presses_and_the_person_signs_in(world: World, name: str) -> None:
    sentence, act = ACTS[name]
    await STORIES[name].given(world)
    world.clock.advance(days=2)
    admin = await operator_in(world, Role.ADMIN)
    at, top = await find(admin, ADA)
    assert sentence in shown(top)
    assert re.search(rf'<a class="button( second)?" href="{at}/{act}[">?]', top), top
    assert top.count('<a class="button"') == 1, "of several buttons, the first one stands out"
    typed = {"new_email": ADA} if act == "set-email" else {}
    done = await admin.client.post(f"{at}/{act}", data={**admin.form, **typed})
    assert done.headers["location"].endswith(f"?done={act}")
    assert 'class="notice"' in (await admin.client.get(done.headers["location"])).text
    world.clock.advance(minutes=5)
    await STORIES[name].then(world)


def test_o42_no_story_is_left_out() -> None:
    assert ACTS.keys() == STORIES.keys()
