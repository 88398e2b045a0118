"""A page in all its looks: either theme, on a phone and on a wide screen; what axe-core and the screen's edge say."""

from itertools import product
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

_AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
_THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_WIDTHS = (360, 1440)
_HEIGHT = 800

Violation = tuple[str, list[Any]]


def found(page: Page) -> list[Violation]:
    """Return which rules of axe-core the page breaks as it is, and where. axe-core comes past the page's policy, as an
    extension would.
    """
    page.evaluate(_AXE)
    return _broken(page)


def found_in_all_looks(page: Page) -> list[tuple[str, int, Violation]]:
    """Return the same for each theme and width, in one visit: loading a page costs as much as looking at it.

    The page keeps the last look.
    """
    page.evaluate(_AXE)
    wrong: list[tuple[str, int, Violation]] = []
    for theme, width in product(_THEMES, _WIDTHS):
        page.emulate_media(color_scheme=theme)
        widen(page, width)
        wrong += ((theme, width, violation) for violation in _broken(page))
        if is_wider(page, width):
            wrong.append((theme, width, ("wider than the screen", [])))
    return wrong


def _broken(page: Page) -> list[Violation]:
    violations = page.evaluate("rules => axe.run(rules).then(result => result.violations)", _RULES)
    return [(each["id"], [node["target"] for node in each["nodes"]]) for each in violations]


def widen(page: Page, width: int) -> None:
    """Give the page's window this width, in pixels."""
    page.set_viewport_size({"width": width, "height": _HEIGHT})


def is_wider(page: Page, width: int) -> bool:
    """Return whether the page would be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth") > width)
