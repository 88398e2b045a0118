"""Languages of letters and pages, and which of them a browser prefers."""

from typing import Literal, get_args

Language = Literal["en", "de", "fr", "es", "pt"]
LANGUAGES = dict(zip(get_args(Language), ("English", "Deutsch", "Français", "Español", "Português"), strict=True))
"""The name of each language in that language, by its subtag (BCP 47)."""

_MOST_RANGES = 20  # a header may name any number


def preferred(accept_language: str) -> str | None:
    """Return the most preferred of our languages (RFC 9110, section 12.5.4); None if none is accepted.

    `de-AT` matches `de`; `*` and `q=0` match nothing.
    """
    wanted = []
    for position, part in enumerate(accept_language.split(",")[:_MOST_RANGES]):
        tag, _, parameters = part.strip().partition(";")
        language = tag.partition("-")[0].strip().lower()
        quality = _quality(parameters)
        if language in LANGUAGES and quality > 0:
            wanted.append((-quality, position, language))
    if not wanted:
        return None
    _, _, most_preferred = min(wanted)
    return most_preferred


def _quality(parameters: str) -> float:
    name, _, value = parameters.replace(" ", "").partition("=")
    if not name:
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0) if name == "q" else 0.0
    except ValueError:
        return 0.0
