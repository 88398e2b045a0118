"""Forward auth: check the request that a reverse proxy asks about, and name its caller in headers (docs/proxies.md).

The proxy asks `GET /api/auth/verify` with a copy of the request's headers. Two checks are made here, so that no proxy
has to make them: no other site made a browser send the request, and it has no header that only Vestibule may set.
"""

from starlette.requests import Request

from vestibule.flows.identify import Caller
from vestibule.protocol import credentials
from vestibule.protocol.cookies import RawHeaders
from vestibule.protocol.other_sites import from_elsewhere, may_change_state
from vestibule.web import cookies
from vestibule.web.csrf import is_browser
from vestibule.web.request_errors import CrossSite, ReservedHeader
from vestibule.web.site import site_of
from vestibule.web.web_policy import WebPolicy

_RESERVED_PREFIXES = (b"vestibule-", b"vestibule_")  # in WSGI and CGI both become HTTP_VESTIBULE_
# A client that sends one of these deceives no service, because proxies overwrite them with the headers of our answer.
# Every other reserved header is refused. `Vestibule-Actor` and `Vestibule-Roles` are newer: a proxy that was set up
# before them would pass on those that a client sends. And most answers have no `Vestibule-Actor` to overwrite one with.
_OVERWRITTEN = frozenset({b"vestibule-user", b"vestibule-role", b"vestibule-session", b"vestibule-email-verified"})
_METHOD = b"x-forwarded-method"


async def forward_auth(request: Request) -> None:
    """Check the request that a proxy asks about; raises `ReservedHeader` or `CrossSite`."""
    check_forwarded(request.headers.raw, site_of(request).web)


def check_forwarded(headers: RawHeaders, web: WebPolicy) -> None:
    """Raise `ReservedHeader` if the client sent a header that a service would take for Vestibule's. Raise `CrossSite`
    if the credential is a cookie and another site made a browser send the request.

    A request that only reads and has no Origin is not refused: it may come from a link on another site.
    """
    sent = {}
    for name, content in headers:
        if name.startswith(_RESERVED_PREFIXES) and name not in _OVERWRITTEN:
            raise ReservedHeader
        sent[name] = content
    if b"cookie" not in sent or credentials.bearer(headers) is not None:
        return
    changes = may_change_state(sent.get(_METHOD, b"GET").decode("latin-1"), headers)
    if not changes and b"origin" not in sent:
        return
    elsewhere = from_elsewhere(headers, web.origins)  # None: neither Origin nor Fetch Metadata was sent
    if elsewhere or (elsewhere is None and is_browser(sent.get(b"user-agent", b"").decode("latin-1"))):
        raise CrossSite


def caller_headers(caller: Caller, headers: RawHeaders) -> dict[str, str]:
    """Return the headers for the service: the caller, the operator who acts as the caller, if one does, and in
    `Vestibule-Cookie` the request's cookies without ours.

    `Vestibule-Roles` has the roles that operators made, with a space between two; it is empty without any. Their names
    have only letters, digits, `_` and `-`: `storage.sql.account_rows` drops any other name that it finds in a row.
    """
    actor = {"Vestibule-Actor": caller.actor_id} if caller.actor_id is not None else {}
    return {
        "Vestibule-User": caller.account.id,
        "Vestibule-Role": caller.account.role.value,
        "Vestibule-Roles": " ".join(caller.account.roles),
        "Vestibule-Session": caller.session_id,
        "Vestibule-Email-Verified": "true" if caller.account.verified else "false",
        "Vestibule-Cookie": cookies.without_ours(headers),
        **actor,
    }
