"""Say sentences with times and with other people's words in them."""

from collections.abc import Mapping
from datetime import datetime

from markupsafe import Markup, escape
from starlette.requests import Request

from vestibule.web.pages import render
from vestibule.web.pages.line_breaks import breakable, page_translations
from vestibule.web.site import site_of

Said = tuple[str, Mapping[str, datetime | str]]
"""A sentence in English, and what fills its placeholders."""


def said(request: Request, sentence: Said) -> Markup:
    """Return the sentence in the reader's language, as HTML: times as `time` elements, and others' words isolated, so
    that their direction of writing changes nothing around them.
    """
    english, filled_in = sentence
    language = render.language_of(request)
    moment = site_of(request).templates.in_language(language).filters["moment"]
    shown = {
        name: moment(value) if isinstance(value, datetime) else _isolated(value) for name, value in filled_in.items()
    }
    return escape(page_translations(language).gettext(english)) % shown


def _isolated(text: str) -> Markup:
    return Markup("<bdi>{}</bdi>").format(breakable(text))
