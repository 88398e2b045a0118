"""The files that pages load: their content and their URLs."""

import hashlib
from importlib.resources import files

from vestibule.model.brand import Brand

_FOLDER = files("vestibule.web") / "static"


class Static:
    """The stylesheet with the product's colour, the script and the logo, with their URLs."""

    def __init__(self, brand: Brand) -> None:
        colours = f":root {{ --brand: {brand.colour}; --ink: {brand.ink}; }}\n"
        self.style = colours.encode() + (_FOLDER / "pages.css").read_bytes()
        self.script = (_FOLDER / "pages.js").read_bytes()
        self.logo = brand.logo if brand.logo_type else b""
        self.logo_media = f"image/{brand.logo_type}"
        self.style_at = _url_of("pages.css", self.style)
        self.script_at = _url_of("pages.js", self.script)
        self.logo_at = _url_of("logo", self.logo) if self.logo else ""


def _url_of(name: str, content: bytes) -> str:
    return f"/static/{name}?{hashlib.sha256(content).hexdigest()[:12]}"
