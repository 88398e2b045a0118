"""The files that pages load: their content and their URLs."""

import hashlib
from importlib.resources import files
from urllib.parse import quote

from markupsafe import escape

from vestibule.model.brand import Brand

_FOLDER = files("vestibule.web") / "static"
_SHEETS = ("frame.css", "cards.css", "console.css", "forms.css", "screens.css")
"""The parts of the stylesheet, in order: of two rules with the same specificity, the later one wins."""
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="{colour}"/>'
    '<text x="16" y="23" fill="{ink}" font-family="sans-serif" font-size="20" font-weight="700" text-anchor="middle">'
    "{initial}</text></svg>"
)


class Static:
    """The stylesheet with the product's colour, the script and the logo: each with its URL (`…_at`)."""

    def __init__(self, brand: Brand) -> None:
        colours = f":root {{ --brand: {brand.colour}; --ink: {brand.ink}; }}\n"
        self.style = b"\n".join((colours.encode(), *((_FOLDER / name).read_bytes() for name in _SHEETS)))
        self.script = (_FOLDER / "pages.js").read_bytes()
        self.logo = brand.logo if brand.logo_type else b""
        self.logo_media = f"image/{brand.logo_type}"
        self.style_at = _url_of("pages.css", self.style)
        self.script_at = _url_of("pages.js", self.script)
        self.logo_at = _url_of("logo", self.logo) if self.logo else ""
        self.icon_at = self.logo_at or _initial_as_icon(brand)


def _url_of(name: str, content: bytes) -> str:
    return f"/static/{name}?{hashlib.sha256(content).hexdigest()[:12]}"


def _initial_as_icon(brand: Brand) -> str:
    """Return the icon of a tab as a `data:` URL (RFC 2397): the product's initial, on its colour."""
    svg = _ICON.format(colour=brand.colour, ink=brand.ink, initial=escape(brand.name[:1].upper()))
    return f"data:image/svg+xml,{quote(svg)}"
