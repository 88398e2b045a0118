"""Load the templates of the pages, once for each language."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from babel.dates import format_date, format_time, format_timedelta
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader
from markupsafe import Markup

from vestibule.model.brand import Brand
from vestibule.model.devices import describe
from vestibule.model.languages import LANGUAGES
from vestibule.translations.catalogues import environment_for
from vestibule.web.pages.assets import Static
from vestibule.web.pages.line_breaks import breakable, page_translations


class Templates:
    """The templates of one installation. Templates in `folder`, if given, replace those of Vestibule."""

    def __init__(self, brand: Brand, default_language: str, folder: Path | None = None) -> None:
        self._brand = brand
        self.default_language = default_language
        ours = PackageLoader("vestibule.web")
        self._loader: BaseLoader = ChoiceLoader([FileSystemLoader(folder), ours]) if folder else ours
        self._environments: dict[str, Environment] = {}
        self.static = Static(brand)

    def in_language(self, language: str) -> Environment:
        """Return the templates in a language, loaded at the first call."""
        if language not in self._environments:
            self._environments[language] = self._environment(language)
        return self._environments[language]

    def _environment(self, language: str) -> Environment:
        templates = environment_for(language, self._loader, page_translations(language))
        templates.globals.update(brand=self._brand, languages=LANGUAGES, static=self.static, initials=initials)
        templates.filters.update(
            device=describe,
            breakable=breakable,
            moment=lambda at: _time_element(at, language),
            ago=lambda at, now: _ago(at, now, language),
        )
        return templates


def initials(name: str) -> str:
    """Return the initials that are shown instead of a photo: of the first and the last word that have a letter or a
    digit.
    """
    words = list(filter(None, (re.sub(r"^[\W_]+", "", word) for word in name.split())))
    if not words:
        return "?"
    first_and_last = dict.fromkeys((words[0], words[-1]))  # only one, if both are the same word
    return "".join(word[0] for word in first_and_last).upper()


def _ago(at: datetime, now: datetime, language: str) -> str:
    until = min(at - now, timedelta(0))  # not positive, even if the clock of another process is ahead
    return format_timedelta(until, add_direction=True, locale=language)


def _time_element(at: datetime, language: str) -> Markup:
    """Return a `time` element in UTC. The script puts it into the reader's time zone."""
    utc = at.astimezone(UTC)
    text = f"{format_date(utc, 'medium', language)}, {format_time(utc, 'short', locale=language)} UTC"
    return Markup('<time datetime="{}">{}</time>').format(utc.isoformat(), text)
