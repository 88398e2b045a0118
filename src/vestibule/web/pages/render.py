"""Render templates in the reader's language, under a policy that loads nothing from other sites (CSP level 3)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_time, format_timedelta
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from vestibule.crypto.entropy import random_bytes
from vestibule.model.brand import Brand
from vestibule.model.devices import describe
from vestibule.model.languages import LANGUAGES
from vestibule.translations.catalogues import speaking, translations
from vestibule.web import cookies
from vestibule.web.caller import wanted_language
from vestibule.web.pages import return_to
from vestibule.web.pages.form import typed
from vestibule.web.pages.member import form_token
from vestibule.web.pages.static import Static
from vestibule.web.pages.words import NOTICES, Sentence

_OWN, _NONE = "'self'", "'none'"
_UNITS, _FEW = (86400, 3600, 60), 2  # seconds in a unit, and how many of it a wait must have to be told in it


class Pages:
    """Renders pages. Templates in `folder`, if given, replace ours."""

    def __init__(self, brand: Brand, default_language: str, folder: Path | None = None) -> None:
        self._brand = brand
        self._default_language = default_language
        ours = PackageLoader("vestibule.web")
        self._loader: BaseLoader = ChoiceLoader([FileSystemLoader(folder), ours]) if folder else ours
        self._templates: dict[str, Environment] = {}
        self.static = Static(brand)

    def spoken_to(self, request: Request) -> Environment:
        """Return the templates in the reader's language."""
        language = self.language_of(request)
        if language not in self._templates:
            self._templates[language] = self._speaking(language)
        return self._templates[language]

    def say(self, request: Request, english: str, **filled_in: int | str) -> str:
        """Return a sentence in the reader's language."""
        return translations(self.language_of(request)).gettext(english) % filled_in

    def wait(self, request: Request, seconds: int) -> str:
        """Return a waiting time in the reader's language, rounded up: "in 5 minutes"."""
        return _in(seconds, self.language_of(request))

    def language_of(self, request: Request) -> str:
        """Return the language chosen here, or preferred by the browser, or the default."""
        return wanted_language(request) or self._default_language

    def page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        *,
        faults: Mapping[str, Sentence] | None = None,
        frames: bool = False,
        leads_to: str = "",
        **words: Any,
    ) -> Response:
        """Return the page with its own Content Security Policy.

        `faults` are shown beside their fields. `frames`: it shows other pages of ours. `leads_to`: the listed origin to
        which its form leads in the end, if any.
        """
        nonce = random_bytes(16).hex()
        said = {field: self.say(request, text, **numbers) for field, (text, numbers) in (faults or {}).items()}
        html = (
            self.spoken_to(request)
            .get_template(template)
            .render({**self._around(request), **words}, nonce=nonce, faults=said, focus=next(iter(said), ""))
        )
        policy = (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self' data:; "
            f"form-action {_OWN} {leads_to or _OWN}; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
            f"frame-src {_OWN if frames else _NONE}"
        )
        headers = {"Content-Security-Policy": policy, "Content-Language": self.language_of(request)}
        answer = HTMLResponse(html, status, headers)
        self._keep_the_way(request, answer)
        return answer

    @staticmethod
    def _keep_the_way(request: Request, answer: Response) -> None:
        """Store `return_to` in a cookie, so that it survives signing up or opening a mailed link."""
        going = request.query_params.get("return_to", "")
        if return_to.parsed(going, request.app.state.web.origins):
            now = request.app.state.env.clock.now()
            cookies.set_return_to(answer, return_to.as_cookie(going), now, request.app.state.web)

    def _around(self, request: Request) -> dict[str, Any]:
        """Return what every page may show, whatever it is about."""
        caller = getattr(request.state, "caller", None)
        env = request.app.state.env
        notice = NOTICES.get(request.query_params.get("notice", ""), "")
        path, query = request.url.path, request.url.query
        going = typed(request).get("return_to", request.query_params.get("return_to", ""))
        target = return_to.wanted(request, going)
        return {
            "path": path,
            "here": return_to.parsed(f"{path}?{query}" if query else path, ()) or path,
            "return_to": "" if target == return_to.HOME else target,
            "way": "" if target == return_to.HOME else return_to.with_query("", return_to=target),
            "caller": caller,
            "account": caller.account if caller else None,
            "form_token": form_token(env, caller) if caller else "",
            "notice": self.say(request, notice) if notice else "",
            "trouble": getattr(request.state, "trouble", ""),
            "values": typed(request),
            "now": env.clock.now(),
        }

    def _speaking(self, language: str) -> Environment:
        templates = speaking(language, self._loader)
        templates.globals.update(brand=self._brand, languages=LANGUAGES, static=self.static, initials=initials)
        templates.filters.update(
            device=describe,
            moment=lambda at: _moment(at, language),
            ago=lambda at, now: _ago(at, now, language),
        )
        return templates


def pages_of(request: Request) -> Pages:
    """Return the pages of this installation."""
    pages: Pages = request.app.state.pages
    return pages


def initials(name: str) -> str:
    """Return what stands in for a photo: the first letters of the first and the last word."""
    words = name.split()
    return "".join(word[0] for word in dict.fromkeys((words[0], words[-1]))).upper() if words else "?"


def _ago(at: datetime, now: datetime, language: str) -> str:
    return format_timedelta(min(at - now, now - now), add_direction=True, locale=language)


def _in(seconds: int, language: str) -> str:
    unit = next((unit for unit in _UNITS if seconds >= _FEW * unit), 1)
    rounded_up = timedelta(seconds=ceil(seconds / unit) * unit)
    return format_timedelta(rounded_up, add_direction=True, threshold=_FEW, locale=language)


def _moment(at: datetime, language: str) -> str:
    there = at.astimezone(UTC)
    return f"{format_date(there, 'medium', language)}, {format_time(there, 'short', locale=language)} UTC"
