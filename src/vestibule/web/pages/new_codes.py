"""New recovery codes, on their way from the form that made them to the page that shows them.

A cookie carries them: encrypted, for one session and one path, for ten minutes. So the page can be reloaded, shown in
another language and downloaded, and the server keeps only hashes (decision 0046 has the same for refused forms).
"""

import json
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from vestibule.crypto.seal import CannotUnseal
from vestibule.flows.identify import Caller
from vestibule.protocol.cookies import read
from vestibule.web import cookies
from vestibule.web.site import site_of

PATH = "/profile/security/recovery-codes"
SHOWN_SECONDS = 600
_MAX_CHARACTERS = 1000


def keep(request: Request, response: Response, caller: Caller, codes: Sequence[str]) -> None:
    """Keep the codes for the page at `PATH`."""
    site = site_of(request)
    now = site.env.clock.now()
    kept = {"codes": list(codes), "until": now.timestamp() + SHOWN_SECONDS}
    sealed = site_of(request).env.keys.refresh.cookie_seal.close(json.dumps(kept).encode(), _name(caller))
    cookies.set_recovery_codes(response, sealed, PATH, SHOWN_SECONDS, now, site.web)


def kept_codes(request: Request, caller: Caller) -> list[str]:
    """Return the codes; empty without the cookie, or if it is too old or another session's."""
    sealed = read(request.headers.raw, cookies.RECOVERY_CODES.encode()) or ""
    if not 0 < len(sealed) <= _MAX_CHARACTERS:
        return []
    try:
        kept = json.loads(site_of(request).env.keys.refresh.cookie_seal.open(sealed, _name(caller)))
    except CannotUnseal:
        return []
    codes: list[str] = kept["codes"] if kept["until"] >= site_of(request).env.clock.now().timestamp() else []
    return codes


def forget(request: Request, response: Response) -> None:
    """Delete the cookie."""
    site = site_of(request)
    cookies.set_recovery_codes(response, "", PATH, 0, site.env.clock.now(), site.web)


def _name(caller: Caller) -> str:
    return f"recovery codes {caller.session_id}"
