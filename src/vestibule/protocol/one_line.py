"""Make foreign text safe to repeat in one line of a terminal or a log."""

import unicodedata

MOST_QUOTED = 200
"""How many characters of a peer's text `quoted` repeats, unless its caller names another number."""
# Unicode categories: control characters, format characters (some reverse the direction of a text), line separators.
_CONTROLS = {"Cc", "Cf", "Zl", "Zp"}


def one_line(text: str) -> str:
    """Return the text as one line without control characters. White space becomes a space. Every other character that
    `str.isprintable` rejects becomes U+FFFD, such as controls, direction marks (CVE-2021-42574) and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "\ufffd"


def is_one_line(text: str) -> bool:
    """Return whether the text has no control character, line separator, or invisible character, such as one that turns
    the direction of what follows it (CVE-2021-42574).
    """
    return not any(unicodedata.category(character) in _CONTROLS for character in text)


def quoted(value: object, most: int = MOST_QUOTED) -> str:
    """Return what a peer sent as one line of at most `most` characters; "…" stands for the rest."""
    text = str(value)
    return one_line(text if len(text) <= most else text[: most - 1] + "…")
