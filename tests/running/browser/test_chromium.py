"""How the browser of these tests is started."""

import psutil
import pytest

from tests.running.browser.chromium import QUIET

_FEATURES = "--disable-features="


@pytest.mark.usefixtures("browser")
def test_what_playwright_turns_off_stays_off() -> None:
    """Chromium heeds the last list of features alone, which is ours."""
    started = next(
        child.cmdline() for child in psutil.Process().children(recursive=True) if QUIET[0] in child.cmdline()
    )
    playwrights, ours = (word.removeprefix(_FEATURES).split(",") for word in started if word.startswith(_FEATURES))
    assert set(playwrights) < set(ours)
