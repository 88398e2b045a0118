"""Judge the request that a reverse proxy asks about, and say what the service behind it is told (docs/proxies.md).

The proxy hands on the headers of that request. So what only its sender can know is judged here, once for every proxy:
whether another site made a browser send it, and whether it says of itself what only Vestibule may say.
"""

from starlette.requests import Request

from vestibule.flows.identify import Caller
from vestibule.protocol import credentials
from vestibule.protocol.cookies import RawHeaders
from vestibule.protocol.other_sites import changes_something, from_elsewhere
from vestibule.web import cookies
from vestibule.web.csrf import is_browser
from vestibule.web.errors import CrossSite, ReservedHeader
from vestibule.web.policy import WebPolicy
from vestibule.web.site import site_of

_FAMILY = (b"vestibule-", b"vestibule_")
# What proxies replace.
_TOLD = frozenset({b"vestibule-user", b"vestibule-role", b"vestibule-session", b"vestibule-email-verified"})
_METHOD = b"x-forwarded-method"


async def for_a_service(request: Request) -> None:
    """Guard the question of a proxy; raises `ReservedHeader` or `CrossSite`."""
    judge(request.headers.raw, site_of(request).web)


def judge(headers: RawHeaders, web: WebPolicy) -> None:
    """Raise `ReservedHeader` for a header that a service would take for ours and that no proxy replaces, `CrossSite`
    where a cookie is the credential and another site made a browser send it.

    A read without an Origin passes: following a link from another site is no forgery.
    """
    said = {}
    for name, content in headers:
        if name.startswith(_FAMILY) and name not in _TOLD:
            raise ReservedHeader
        said[name] = content
    if b"cookie" not in said or credentials.bearer(headers) is not None:
        return
    changes = changes_something(said.get(_METHOD, b"GET").decode("latin-1"), headers)
    if not changes and b"origin" not in said:
        return
    elsewhere = from_elsewhere(headers, web.origins)
    if elsewhere or (elsewhere is None and is_browser(said.get(b"user-agent", b"").decode("latin-1"))):
        raise CrossSite


def told(caller: Caller, headers: RawHeaders) -> dict[str, str]:
    """Return what the service is told: who is calling, and in `Vestibule-Cookie` the cookies of the request without
    ours.
    """
    return {
        "Vestibule-User": caller.account.id,
        "Vestibule-Role": caller.account.role.value,
        "Vestibule-Session": caller.session_id,
        "Vestibule-Email-Verified": "true" if caller.account.verified else "false",
        "Vestibule-Cookie": cookies.without_ours(headers),
    }
