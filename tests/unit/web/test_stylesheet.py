"""The stylesheet: one answer, made of several files that fit on a few screens."""

from importlib.resources import files

from vestibule.model.brand import Brand
from vestibule.web.pages.assets import Static

MOST_LINES = 250
SHEETS = {
    each.name: each.read_text() for each in (files("vestibule.web") / "static").iterdir() if each.name.endswith("css")
}


def test_every_file_is_in_the_stylesheet_once_and_the_colours_come_first() -> None:
    style = Static(Brand("Shop")).style.decode()
    assert style.startswith(":root { --brand: ")
    assert len(SHEETS) > 1
    assert {name: style.count(text) for name, text in SHEETS.items()} == dict.fromkeys(SHEETS, 1)


def test_what_narrow_screens_change_comes_last() -> None:
    """A media query adds no weight to a rule: of two that say as much, the later one counts."""
    assert Static(Brand("Shop")).style.decode().endswith(SHEETS["screens.css"])


def test_no_file_is_too_long_to_be_read() -> None:
    assert [name for name, text in SHEETS.items() if text.count("\n") > MOST_LINES] == []
