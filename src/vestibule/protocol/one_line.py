"""Make foreign text safe to repeat in one line of a terminal or a log."""

MOST_QUOTED = 200
"""How many characters of a peer's text `quoted` repeats, unless its caller names another number."""


def one_line(text: str) -> str:
    """Return the text as one line without control characters. White space becomes a space. Invisible characters become
    U+FFFD: C0 and C1 controls, direction marks (CVE-2021-42574) and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "\ufffd"


def quoted(value: object, most: int = MOST_QUOTED) -> str:
    """Return what a peer sent as one line of at most `most` characters; "…" stands for the rest."""
    text = str(value)
    return one_line(text if len(text) <= most else text[: most - 1] + "…")
