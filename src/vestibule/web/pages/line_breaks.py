"""Say where the text of a page may break: not inside "e-mail", and inside an email address at its "@" and dots.

Only pages need this. Emails and the API use the translations unchanged.
"""

import re
from functools import cache
from gettext import NullTranslations

from markupsafe import Markup

from vestibule.translations.catalogues import translations

_NON_BREAKING_HYPHEN = "\N{NON-BREAKING HYPHEN}"
_HYPHENATED = re.compile(r"\b\w+(?:-\w+)+")
_EMAIL = re.compile(r"(\S+@\S*\w)")
_WITHIN_AN_EMAIL = re.compile(r"(?<=@)(?=\w)|(?<=\w)(?=\.\w)")


class _Unbroken(NullTranslations):
    """Translations whose words with a part of one letter ("e-mail", "E-Mail-Adresse") do not break at their hyphens.
    `NullTranslations` has no sentences: it asks the fallback that `page_translations` adds.
    """

    def gettext(self, message: str) -> str:
        return _unbroken(super().gettext(message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return _unbroken(super().ngettext(msgid1, msgid2, n))


@cache
def page_translations(language: str) -> NullTranslations:
    """Return the translations of pages to a language; raises `FileNotFoundError` if it has no catalogue."""
    unbroken = _Unbroken()
    unbroken.add_fallback(translations(language))
    return unbroken


def breakable(text: str) -> Markup:
    """Return a text whose email addresses may break after "@" and before a dot, but get no hyphen there, as HTML."""
    return Markup("").join(_breakable_email(part) if "@" in part else part for part in _EMAIL.split(text))


def _breakable_email(email: str) -> Markup:
    parts = Markup("<wbr>").join(_WITHIN_AN_EMAIL.split(email))
    return Markup('<span translate="no">{}</span>').format(parts)


def _unbroken(sentence: str) -> str:
    return _HYPHENATED.sub(_unbroken_word, sentence)


def _unbroken_word(found: re.Match[str]) -> str:
    word = found[0]
    return word.replace("-", _NON_BREAKING_HYPHEN) if min(map(len, word.split("-"))) == 1 else word
