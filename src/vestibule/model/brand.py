"""Brand: the product's name, colour, logo and support on letters and pages."""

import re
from dataclasses import dataclass, field

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_DARK, _LIGHT = "#111111", "#ffffff"
_TYPES_BY_FIRST_BYTES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}


@dataclass(frozen=True)
class Brand:
    """The product's look. `colour` is `#rrggbb`; `logo` is the content of a picture file (`picture_type`); `support` is
    the email or the https URL where people get help.
    """

    name: str
    colour: str = "#2b4acb"
    logo: bytes = field(default=b"", repr=False)
    support: str = ""

    @property
    def support_at(self) -> str:
        """Return the URL that leads to the support; empty if there is none."""
        return f"mailto:{self.support}" if "@" in self.support.partition("/")[0] else self.support

    @property
    def logo_type(self) -> str:
        """Return `png`, `jpeg` or `gif`; empty if there is no logo, or it is none of these."""
        return picture_type(self.logo)

    @property
    def ink(self) -> str:
        """Return the text colour with the higher contrast on `colour`, dark or light (WCAG 2.2, contrast ratio)."""
        contrast_of_light = 1.05 / (self._luminance + 0.05)
        contrast_of_dark = (self._luminance + 0.05) / (0.006 + 0.05)  # the luminance of #111111 is 0.006
        return _LIGHT if contrast_of_light >= contrast_of_dark else _DARK

    @property
    def _luminance(self) -> float:
        """Return the relative luminance of `colour`, 0 to 1 (WCAG 2.2)."""
        channels = [int(self.colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def picture_type(content: bytes) -> str:
    """Return `png`, `jpeg` or `gif`, by the first bytes; empty for others, which not every mail program shows."""
    return next((kind for start, kind in _TYPES_BY_FIRST_BYTES.items() if content.startswith(start)), "")
