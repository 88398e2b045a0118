"""The page of example emails is not taken for a mailbox: it says where the link of a sent email is."""

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.harness.clock import ManualClock
from tests.harness.world import World
from tests.unit.mail import RENDERER, a_letter
from vestibule.mail.folder import FolderMailer

pytestmark = pytest.mark.any_engine


async def test_the_page_of_examples_names_the_line_of_the_log_that_has_the_link(world: World, tmp_path: Path) -> None:
    page = (await (await world.client()).get("/letters")).text
    assert "Example emails" in page
    letter = a_letter()
    with capture_logs() as lines:
        await FolderMailer(tmp_path, RENDERER, ManualClock(), log_links=True).send(letter)
    (line,) = lines
    assert line["link"] == letter.link
    assert re.findall(r"in a line with <code>(\w+)</code>", page) == [line["event"]]
