"""New recovery codes, on their way from the form that made them to the page that shows them.

A cookie carries the codes: encrypted, for one session and one path, for ten minutes. So the page can be reloaded or
shown in another language, the codes can be downloaded, and the server keeps only hashes. Refused forms travel in the
same way (decision 0046).
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.identify import Caller
from vestibule.web import cookies
from vestibule.web.pages.sealed_cookie import SealedCookie

PATH = "/profile/security/recovery-codes"
SHOWN_SECONDS = 600
_COOKIE = SealedCookie(cookies.RECOVERY_CODES, SHOWN_SECONDS, max_characters=1000)


def keep(request: Request, response: Response, session_id: str, codes: Sequence[str]) -> None:
    """Keep the codes of a session for the page at `PATH`."""
    sealed = _COOKIE.seal(request, session_id, {"codes": list(codes)})
    _COOKIE.set(request, response, sealed, PATH)


def kept_codes(request: Request, caller: Caller) -> list[str]:
    """Return the codes; empty without the cookie, or if it is too old or another session's."""
    kept = _COOKIE.open(request, caller.session_id)
    return kept["codes"] if kept else []


def clear(request: Request, response: Response) -> None:
    """Delete the cookie."""
    _COOKIE.clear(request, response, PATH)
