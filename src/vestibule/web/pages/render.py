"""Templates become answers, in the reader's language, under a policy that lets nothing foreign in (CSP level 3)."""

from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from vestibule.crypto.entropy import random_bytes
from vestibule.model.brand import Brand
from vestibule.model.languages import preferred
from vestibule.translations.catalogues import speaking, translations

_OWN, _NONE = "'self'", "'none'"


class Pages:
    """Renders pages. `folder`, if given, has templates to be used in the place of ours."""

    def __init__(self, brand: Brand, default_language: str, folder: Path | None = None) -> None:
        self._brand = brand
        self._default_language = default_language
        ours = PackageLoader("vestibule.web")
        self._loader: BaseLoader = ChoiceLoader([FileSystemLoader(folder), ours]) if folder else ours
        self._templates: dict[str, Environment] = {}

    def spoken_to(self, request: Request) -> Environment:
        """The templates in that language."""
        language = self.language_of(request)
        if language not in self._templates:
            self._templates[language] = speaking(language, self._loader)
        return self._templates[language]

    def say(self, request: Request, english: str, **numbers: int) -> str:
        """A sentence in that language."""
        return translations(self.language_of(request)).gettext(english) % numbers

    def language_of(self, request: Request) -> str:
        """The language that the browser asks for, or the default."""
        return preferred(request.headers.get("accept-language", "")) or self._default_language

    def page(
        self, request: Request, template: str, status: int = 200, *, frames: bool = False, **words: Any
    ) -> Response:
        """The page as an answer, with a Content Security Policy of its own. `frames`: it shows others of our pages."""
        nonce = random_bytes(16).hex()
        html = self.spoken_to(request).get_template(template).render(brand=self._brand, nonce=nonce, **words)
        policy = (
            f"default-src 'none'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; form-action 'self'; "
            f"base-uri 'none'; frame-ancestors 'none'; frame-src {_OWN if frames else _NONE}"
        )
        return HTMLResponse(html, status, {"Content-Security-Policy": policy})


def pages_of(request: Request) -> Pages:
    """The pages of this installation."""
    pages: Pages = request.app.state.pages
    return pages
