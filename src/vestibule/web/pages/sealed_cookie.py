"""Sealed cookies: JSON that one page leaves for the next, encrypted. The server keeps nothing.

Each cookie is sealed for a subject, such as a page or a session, and opens for no other. The time when the cookie ends
is sealed too, because a program can send a cookie for longer than browsers do.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.crypto.seal import CannotUnseal
from vestibule.protocol.cookies import pairs, read
from vestibule.web import cookies
from vestibule.web.site import site_of

_END = "until"


@dataclass(frozen=True)
class SealedCookie:
    """A cookie of this `name`, which is good for `seconds`. The sealed text has at most `max_characters`. `host_only`:
    the name gets `__Host-` where cookies are `Secure`, so that no other host can set the cookie; its path must be `/`.
    """

    name: str
    seconds: int
    max_characters: int
    host_only: bool = False

    def seal(self, request: Request, subject: str, content: Mapping[str, Any]) -> str:
        """Return the content as a sealed text; empty if that would be too long."""
        env = site_of(request).env
        kept = {**content, _END: env.clock.now().timestamp() + self.seconds}
        plain = json.dumps(kept, ensure_ascii=False).encode()
        sealed = env.keys.refresh.cookie_seal.close(plain, self._label(subject))
        return sealed if len(sealed) <= self.max_characters else ""

    def open(self, request: Request, subject: str) -> dict[str, Any] | None:
        """Return the content; None without the cookie, or if it has ended or was sealed for another subject."""
        env = site_of(request).env
        sealed = read(request.headers.raw, self._cookie(request).encode()) or ""
        if not 0 < len(sealed) <= self.max_characters:
            return None
        try:
            kept: dict[str, Any] = json.loads(env.keys.refresh.cookie_seal.open(sealed, self._label(subject)))
        except CannotUnseal:
            return None
        return kept if kept.pop(_END) >= env.clock.now().timestamp() else None

    def set(self, request: Request, response: Response, sealed: str, path: str) -> None:
        """Set the cookie for the pages under `path`."""
        site = site_of(request)
        cookies.set_of_pages(
            response, self._cookie(request), sealed, path, self.seconds, site.env.clock.now(), site.web
        )

    def clear(self, request: Request, response: Response, path: str) -> None:
        """Delete the cookie that was set with this path."""
        site = site_of(request)
        cookies.set_of_pages(response, self._cookie(request), "", path, 0, site.env.clock.now(), site.web)

    def is_sent(self, request: Request) -> bool:
        """Return whether the browser sent the cookie, even one that does not open."""
        return any(name == self._cookie(request).encode() for name, _ in pairs(request.headers.raw))

    def _cookie(self, request: Request) -> str:
        """Return the full name of the cookie."""
        return cookies.host_only(self.name, site_of(request).web) if self.host_only else self.name

    def _label(self, subject: str) -> str:
        """Return the label under which the text is sealed: no other cookie and subject can open it."""
        return f"{self.name} {subject}"
