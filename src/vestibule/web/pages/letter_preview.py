"""Preview letters: every kind, in every language, as HTML and as plain text. Only in development."""

import base64
from dataclasses import replace
from email.message import EmailMessage
from typing import Annotated, cast

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from vestibule.model.languages import LANGUAGES
from vestibule.model.letters import ADDED_AT, DUE_AT, Letter, LetterKind
from vestibule.web.caller import EnvDep
from vestibule.web.pages import render
from vestibule.web.request_errors import RouteUnknown
from vestibule.web.site import site_of

_LETTER_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
_LOGO = "cid:logo"  # how the HTML of an email names the picture that comes with it (RFC 2392)


async def letters(
    request: Request,
    env: EnvDep,
    kind: Annotated[LetterKind, Query()] = LetterKind.VERIFY_EMAIL,
    language: Annotated[str, Query()] = "en",
) -> Response:
    """Show a letter as it would be sent, with links to all others; raises `RouteUnknown` for an unknown language."""
    if language not in LANGUAGES:
        raise RouteUnknown(f"/letters?language={language}")
    message = _example(request, env.clock.now().isoformat(timespec="seconds"), kind, language)
    return render.page(
        request,
        "letters.html",
        frames=True,
        kinds=list(LetterKind),
        kind=kind,
        languages=LANGUAGES,
        chosen=language,
        subject=message["Subject"],
        plain=_part(message, "plain"),
    )


async def letter(
    request: Request, env: EnvDep, kind: Annotated[LetterKind, Path()], language: Annotated[str, Path()]
) -> Response:
    """Show the HTML part alone, as a mail program would; raises `RouteUnknown` for an unknown language."""
    if language not in LANGUAGES:
        raise RouteUnknown(f"/letters/{kind}/{language}")
    message = _example(request, env.clock.now().isoformat(timespec="seconds"), kind, language)
    html = _part(message, "html")
    for picture in message.walk():
        if picture.get_content_maintype() == "image":
            content = base64.b64encode(cast(bytes, picture.get_payload(decode=True))).decode()
            html = html.replace(_LOGO, f"data:{picture.get_content_type()};base64,{content}")
    return HTMLResponse(html, headers={"Content-Security-Policy": _LETTER_CSP})


def _example(request: Request, at: str, kind: LetterKind, language: str) -> EmailMessage:
    site = site_of(request)
    detail = {"at": at, "device": "Firefox, Windows", "network_address": "192.0.2.7", "left": "9"}
    detail |= {ADDED_AT: at, DUE_AT: at}
    link = f"{site.policy.link_base}/example/{'0a1b2c3d' * 8}"
    example = Letter(f"{kind.value}-{language}", kind, "ada@example.com", "Ada Lovelace", link, language, detail)
    return site.writer.write(replace(example, code="k7d2-9fxm"))


def _part(message: EmailMessage, kind: str) -> str:
    return str(cast(EmailMessage, message.get_body((kind,))).get_content())
