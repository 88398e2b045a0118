"""Render the pages in the reader's language, with a Content Security Policy that allows nothing from other sites."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import Any

from babel.dates import format_timedelta
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from vestibule.crypto.entropy import random_bytes
from vestibule.web import cookies, operator_session
from vestibule.web.caller import wanted_language
from vestibule.web.pages import no_cookies, refused_form, return_to
from vestibule.web.pages.browser_session import form_token
from vestibule.web.pages.form import form_values
from vestibule.web.pages.line_breaks import page_translations
from vestibule.web.pages.refused_form import PageContent
from vestibule.web.pages.words import MISSING, NOTICES, Sentence
from vestibule.web.request_context import context_of
from vestibule.web.site import site_of

_OWN, _NONE = "'self'", "'none'"
_FIRST_REFUSAL = 400  # the lowest HTTP status of a refusal
_UNIT_SECONDS = (86400, 3600, 60)
_MIN_UNITS = 2  # "in 90 minutes", not "in 1.5 hours": a unit is used if the time is at least two of it


def page(
    request: Request,
    template: str,
    status: int = 200,
    *,
    faults: Mapping[str, Sentence] | None = None,
    frames: bool = False,
    **variables: Any,
) -> Response:
    """Return the page with its own Content Security Policy.

    `faults` are shown beside their fields. The first field with a fault has the focus; without faults, the field that
    the variable `focus` names. `frames`: the page may show our other pages in frames.

    If `status` is 400 or more, the answer to a browser's form is a redirect instead (`refused_form`): to the page with
    the form, which shows the refusal.
    """
    messages = {field: say(request, text, **numbers) for field, (text, numbers) in (faults or {}).items()}
    variables["missing"] = [field for field, (text, _) in (faults or {}).items() if text in MISSING]
    content = PageContent(template, messages, variables)
    if status >= _FIRST_REFUSAL:
        return refused_form.redirect(request, content, status) or _rendered(request, content, status, frames=frames)
    kept = refused_form.waiting(request)
    if kept is None:
        return _rendered(request, content, status, frames=frames)
    answer = _rendered(request, replace(kept, variables={**variables, **kept.variables}), status, frames=frames)
    refused_form.clear(request, answer)
    return answer


def _rendered(request: Request, content: PageContent, status: int, *, frames: bool) -> Response:
    variables = {**_common_variables(request), **content.variables}
    faults, language, nonce = content.messages, language_of(request), random_bytes(16).hex()
    template = site_of(request).templates.in_language(language).get_template(content.template)
    focus = next(iter(faults), variables.get("focus", ""))
    html = template.render(variables, nonce=nonce, faults=faults, focus=focus)
    # The answer to a form may redirect to `return_to`, perhaps by way of another page of ours.
    policy = _security_policy(nonce, return_to.origin_of(variables["return_to"]), frames=frames)
    answer = HTMLResponse(html, status, {"Content-Security-Policy": policy, "Content-Language": language})
    _store_return_to(request, answer)
    no_cookies.set_one(request, answer)
    return answer


def _security_policy(nonce: str, redirects_to: str, *, frames: bool) -> str:
    """Return the Content Security Policy (W3C CSP Level 3) of a page whose style and script have this nonce."""
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self' data:; "
        "connect-src 'self'; "
        f"form-action {_OWN} {redirects_to or _OWN}; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
        f"frame-src {_OWN if frames else _NONE}"
    )


def say(request: Request, english: str, **filled_in: int | str) -> str:
    """Return a sentence in the reader's language."""
    return page_translations(language_of(request)).gettext(english) % filled_in


def waiting_time(request: Request, seconds: int) -> str:
    """Return a waiting time in the reader's language, rounded up: "in 5 minutes"."""
    return waiting_time_in(seconds, language_of(request))


def waiting_time_in(seconds: int, language: str) -> str:
    """Return a waiting time in a language, rounded up: "in 5 minutes"."""
    unit = next((unit for unit in _UNIT_SECONDS if seconds >= _MIN_UNITS * unit), 1)
    rounded_up = timedelta(seconds=ceil(seconds / unit) * unit)
    # `threshold` has Babel count in the same unit, and `add_direction` has it write "in".
    return format_timedelta(rounded_up, add_direction=True, threshold=_MIN_UNITS, locale=language)


def language_of(request: Request) -> str:
    """Return the language chosen here, or preferred by the browser, or the default."""
    return wanted_language(request) or site_of(request).templates.default_language


def has_session(request: Request) -> bool:
    """Return whether the browser has a live session. If no guard has checked that, return whether it has the cookies of
    one.
    """
    context = context_of(request)
    if context.has_session is None:
        return context.caller is not None or cookies.any_credential(request.headers.raw, site_of(request).web)
    return context.has_session


def _store_return_to(request: Request, answer: Response) -> None:
    """Store the target of the query or of a mailed link in a cookie, so that it survives signing up and signing in.

    For a signed-in user, store only a target in an app. A target among our own pages needs no cookie, because forms
    carry it on; and a cookie would send a later sign-in to a page that the user has left.
    """
    site, context = site_of(request), context_of(request)
    target = request.query_params.get("return_to") or context.link_target
    allowed = return_to.allowed_target(target, site.web.origins)
    if allowed and (context.caller is None or return_to.origin_of(allowed)):
        cookies.set_return_to(answer, return_to.as_cookie(allowed), site.env.clock.now(), site.web)


def _common_variables(request: Request) -> dict[str, Any]:
    """Return the template variables that every page has. `here` is the URL to come back to after choosing a language;
    `way` is the query that carries `return_to` on to another page. `going_to` is where a page that sets up a factor
    leads, if the request itself says so. `app_at` is the root of the app that `return_to` leads to. `once` is a random
    value of this page alone (`sent_twice`).
    """
    context, env = context_of(request), site_of(request).env
    caller = context.caller
    notice = NOTICES.get(request.query_params.get("notice", ""), "")
    path, query = request.url.path, request.url.query
    target = return_to.as_parameter(return_to.target_of(request))
    app = return_to.origin_of(target)
    return {
        "path": path,
        "once": random_bytes(16).hex(),
        "here": return_to.allowed_target(f"{path}?{query}" if query else path, ()) or path,
        "return_to": target,
        "way": return_to.with_query("", return_to=target),
        "going_to": return_to.allowed_here(request),
        "app_at": f"{app}/" if app else "",
        "app_host": app.partition("://")[2],
        "has_session": has_session(request),
        "acting": operator_session.banner(request),
        "caller": caller,
        "permissions": context.permissions,
        "account": caller.account if caller else None,
        "form_token": form_token(env, caller) if caller else "",
        "notice": say(request, notice) if notice else "",
        "trouble": context.trouble,
        "keeps_no_cookies": no_cookies.keeps_none(request),
        "values": form_values(request),
        "now": env.clock.now(),
    }
