"""Where a browser may be sent afterwards. Chromium follows the same list in `tests/running/browser`."""

import pytest

from tests.harness.world import FRONT_END
from tests.unit.web.hostile_targets import HOSTILE
from vestibule.web.pages.return_to import MAX_CHARACTERS, allowed_target, origin_of

GOOD = (
    "/profile",
    "/profile/security?notice=verified",
    "/",
    "/a/b-c_d.e~f/",
    "/search?q=a%20b&next=/x",
    FRONT_END,
    f"{FRONT_END}/",
    f"{FRONT_END}/app?tab=2",
)


@pytest.mark.parametrize("target", GOOD)
def test_a_plain_target_is_taken_as_it_is(target: str) -> None:
    assert allowed_target(target, {FRONT_END}) == target


@pytest.mark.parametrize("target", HOSTILE, ids=ascii)
def test_a_hostile_one_is_none(target: str) -> None:
    """B3: a hostile one is none."""
    assert allowed_target(target, {FRONT_END}) is None


def test_a_long_one_is_none() -> None:
    assert allowed_target("/" + "a" * MAX_CHARACTERS, ()) is None


def test_the_list_is_long_enough() -> None:
    assert len(set(HOSTILE)) >= 50


def test_the_origin_of_a_target() -> None:
    assert origin_of("/profile") == ""
    assert origin_of(f"{FRONT_END}/app?tab=2") == FRONT_END
    assert origin_of(FRONT_END) == FRONT_END
