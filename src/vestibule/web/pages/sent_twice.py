"""Give a form that a browser sends twice the same answer.

Without a script, a double click sends a form twice. The browser drops the first answer, and its cookies with it, and
the second one would refuse what was just done: the link is used, the session has ended, the recovery codes were shown.
So the answer to the last form of a browser at a page is kept for ten seconds, and given to the same form again
(decision 0050). Where the script runs, it holds the second form back for the same time.

Most of these answers have a secret, such as the tokens of a session, and two browsers may send the same form. So an
answer is kept only for a browser that proves which one it is: by a secret cookie, or by the field `once` of the page
that it was sent. Some forms are handled each time (`HANDLED_EACH_TIME`): sending them twice does no harm, and a kept
answer could be out of date.
"""

import re

from starlette.requests import Request
from starlette.responses import Response

from vestibule.protocol.cookies import RawHeaders
from vestibule.web import cookies
from vestibule.web.admission import Handler
from vestibule.web.body import wait_for_body
from vestibule.web.caller import env_of, network_address
from vestibule.web.request_context import context_of
from vestibule.web.sent_forms import Headers
from vestibule.web.site import site_of
from vestibule.web.web_policy import WebPolicy

_SEE_OTHER = 303
_TELLING = {b"cookie", b"user-agent"}  # the headers that tell which browser sent the form
_ONCE = re.compile(rb"(?:\A|&)once=[0-9a-f]{32}(?:&|\Z)")
HANDLED_EACH_TIME = frozenset(
    {
        "/admin/letters/retry",
        "/admin/people/{account_id}/sign-out",
        "/admin/roles/{name}/take",
        "/language",
        "/profile/name",
        "/profile/security/factor-reset",
        "/profile/security/passkeys/{passkey_id}",
        "/profile/security/sessions",
    }
)
"""The routes of forms that do no harm when sent twice. Each is handled every time, so its answer is up to date."""


async def answer_once(request: Request, route: str, handle: Handler) -> Response:
    """Return what `handle` answers. For a form that this browser sent a moment ago, return the earlier answer."""
    if not context_of(request).form_page or route in HANDLED_EACH_TIME:
        return await handle(request)
    await wait_for_body(request)
    body = context_of(request).body
    if isinstance(body, bytes) and _tells_which_browser(request, body):
        return await _answer_form(request, body, handle)
    return await handle(request)


def _tells_which_browser(request: Request, body: bytes) -> bool:
    """Return whether the form or its cookies have a secret that no other browser has. The field `once` is such a
    secret: each page is sent with its own, and no cache keeps a page.
    """
    return _ONCE.search(body) is not None or _has_secret_cookie(request.headers.raw, site_of(request).web)


def _has_secret_cookie(headers: RawHeaders, web: WebPolicy) -> bool:
    readers = (cookies.read_second_factor, cookies.read_email_code, cookies.read_ceremony, cookies.read_devices)
    return cookies.any_credential(headers, web) or any(read(headers, web) for read in readers)


async def _answer_form(request: Request, body: bytes, handle: Handler) -> Response:
    sent_forms, now = site_of(request).sent_forms, (await env_of(request)).clock.now()
    told = [value for name, value in request.headers.raw if name in _TELLING]
    network = await network_address(request)
    page, form = sent_forms.digest(request.url.path.encode(), network.encode(), *told), sent_forms.digest(body)
    repeated = await sent_forms.repeated(page, form, now)
    if repeated is not None:
        return _with_headers(repeated)
    answers = list[Response]()

    async def answer() -> Headers | None:
        answers.append(await handle(request))
        return tuple(answers[0].raw_headers) if _may_be_repeated(request, answers[0]) else None

    await sent_forms.remember(page, form, now, answer)
    return answers[0]


def _may_be_repeated(request: Request, response: Response) -> bool:
    """Return whether the answer may be kept: it is a redirect and no refusal. The same password may be right a moment
    later.
    """
    return not context_of(request).was_refused and response.status_code == _SEE_OTHER


def _with_headers(headers: Headers) -> Response:
    response = Response(status_code=_SEE_OTHER)
    response.raw_headers = list(headers)
    return response
