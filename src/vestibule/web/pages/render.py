"""Render templates in the reader's language, with a Content Security Policy that allows nothing from other sites."""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from typing import Any

from babel.dates import format_timedelta
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from vestibule.crypto.entropy import random_bytes
from vestibule.translations.catalogues import translations
from vestibule.web import cookies
from vestibule.web.caller import wanted_language
from vestibule.web.pages import return_to
from vestibule.web.pages.browser_session import form_token
from vestibule.web.pages.form import typed
from vestibule.web.pages.words import NOTICES, Sentence
from vestibule.web.request_context import context_of
from vestibule.web.site import site_of

_OWN, _NONE = "'self'", "'none'"
_UNITS, _FEWEST = (86400, 3600, 60), 2  # units in seconds; a unit is used if the time is at least two of it


def page(
    request: Request,
    template: str,
    status: int = 200,
    *,
    faults: Mapping[str, Sentence] | None = None,
    frames: bool = False,
    leads_to: str = "",
    **words: Any,
) -> Response:
    """Return the page with its own Content Security Policy.

    `faults` are shown beside their fields. `frames`: the page may show our other pages in frames. `leads_to`: the
    listed origin to which the browser is redirected after its form, if any.
    """
    language, nonce = language_of(request), random_bytes(16).hex()
    messages = {field: say(request, text, **numbers) for field, (text, numbers) in (faults or {}).items()}
    html = (
        site_of(request)
        .templates.in_language(language)
        .get_template(template)
        .render({**_common_words(request), **words}, nonce=nonce, faults=messages, focus=next(iter(messages), ""))
    )
    policy = _security_policy(nonce, leads_to, frames=frames)
    answer = HTMLResponse(html, status, {"Content-Security-Policy": policy, "Content-Language": language})
    _store_return_to(request, answer)
    return answer


def _security_policy(nonce: str, leads_to: str, *, frames: bool) -> str:
    """Return the Content Security Policy (W3C CSP Level 3) of a page whose style and script have this nonce."""
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self' data:; "
        f"form-action {_OWN} {leads_to or _OWN}; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
        f"frame-src {_OWN if frames else _NONE}"
    )


def say(request: Request, english: str, **filled_in: int | str) -> str:
    """Return a sentence in the reader's language."""
    return translations(language_of(request)).gettext(english) % filled_in


def wait(request: Request, seconds: int) -> str:
    """Return a waiting time in the reader's language."""
    return in_words(seconds, language_of(request))


def in_words(seconds: int, language: str) -> str:
    """Return a waiting time in a language, rounded up: "in 5 minutes"."""
    unit = next((unit for unit in _UNITS if seconds >= _FEWEST * unit), 1)
    rounded_up = timedelta(seconds=ceil(seconds / unit) * unit)
    return format_timedelta(rounded_up, add_direction=True, threshold=_FEWEST, locale=language)


def language_of(request: Request) -> str:
    """Return the language chosen here, or preferred by the browser, or the default."""
    return wanted_language(request) or site_of(request).templates.default_language


def _store_return_to(request: Request, answer: Response) -> None:
    """Store `return_to` in a cookie, so that it survives signing up or opening a mailed link."""
    site, going = site_of(request), request.query_params.get("return_to", "")
    if return_to.parsed(going, site.web.origins):
        now = site.env.clock.now()
        cookies.set_return_to(answer, return_to.as_cookie(going), now, site.web)


def _common_words(request: Request) -> dict[str, Any]:
    """Return the template variables that every page has."""
    context, env = context_of(request), site_of(request).env
    caller = context.caller
    notice = NOTICES.get(request.query_params.get("notice", ""), "")
    path, query = request.url.path, request.url.query
    going = typed(request).get("return_to", request.query_params.get("return_to", ""))
    target = return_to.wanted(request, going)
    return {
        "path": path,
        "here": return_to.parsed(f"{path}?{query}" if query else path, ()) or path,
        "return_to": "" if target == return_to.HOME else target,
        "way": "" if target == return_to.HOME else return_to.with_query("", return_to=target),
        "caller": caller,
        "account": caller.account if caller else None,
        "form_token": form_token(env, caller) if caller else "",
        "notice": say(request, notice) if notice else "",
        "trouble": context.trouble,
        "values": typed(request),
        "now": env.clock.now(),
    }
