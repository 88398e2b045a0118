"""Give a form that a browser sends twice the same answer.

Without a script, a double click sends a form twice. The browser drops the first answer, and its cookies with it, and
the second one would refuse what was just done: the link is used, the session has ended, the recovery codes were shown.
So the answer to the last form of a browser at a page is kept for ten seconds, and given to the same form again
(decision 0050). The script holds the second form back for as long.
"""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.web import cookies
from vestibule.web.admission import Handler
from vestibule.web.body import wait_for_body
from vestibule.web.caller import env_of, network_address
from vestibule.web.request_context import context_of
from vestibule.web.sent_forms import Headers
from vestibule.web.site import site_of

_SEE_OTHER = 303
_TELLING = {b"cookie", b"user-agent"}  # which browser it is


async def answer_once(request: Request, handle: Handler) -> Response:
    """Return what `handle` answers. To a form of a browser that was sent a moment ago, return what it answered then."""
    if not context_of(request).form_page:
        return await handle(request)
    await wait_for_body(request)
    body = context_of(request).body
    return await _answer_form(request, body, handle) if isinstance(body, bytes) else await handle(request)


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
    """Return whether this is no refusal, and any tokens in it can only go to the browser that they were for: two
    browsers without a secret cookie may send the same form.
    """
    if context_of(request).was_refused or response.status_code != _SEE_OTHER:
        return False
    headers, web = request.headers.raw, site_of(request).web
    access = cookies.name_of(cookies.ACCESS, web)
    has_tokens = any(value.startswith(f"{access}=") for value in response.headers.getlist("set-cookie"))
    handle = cookies.read_second_factor(headers, web) or cookies.read_email_code(headers, web)
    return not has_tokens or cookies.any_credential(headers, web) or bool(handle)


def _with_headers(headers: Headers) -> Response:
    response = Response(status_code=_SEE_OTHER)
    response.raw_headers = list(headers)
    return response
