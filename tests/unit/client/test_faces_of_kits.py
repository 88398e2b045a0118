"""What every framework of the kit alone promises, of other sites' pages, cookies joined by proxies and staleness."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.unit.client.asking import ORIGIN
from tests.unit.client.faces import (
    INVALID,
    NOBODY,
    OVER,
    Kit,
    bearer,
    cookie,
    face,
    let_in,
    refused,
    token,
)
from tests.unit.client.knowing import STALENESS
from tests.unit.client.test_integrations import SERVICES

__all__ = ["face"]
every_kit = pytest.mark.parametrize("face", SERVICES, indirect=True)


@every_kit
async def test_k1_what_is_too_old_to_be_relied_on_is_said_to_come_back_for(face: Kit) -> None:
    text, over = token(face), token(face, sid="over")
    await let_in(face, bearer(text))
    face.memory.revoked.learn({"sessions": {"over": 960}}, face.clock.monotonic())
    face.clock.advance(seconds=STALENESS + 0.1)
    answer = await refused(face, bearer(text), "cannot_tell", status=503)
    assert answer.headers["retry-after"] == "1"
    await refused(face, bearer(over), OVER)


@every_kit
async def test_k4_with_a_cookie_another_site_changes_nothing_and_opens_no_websocket(
    face: Kit, request: pytest.FixtureRequest
) -> None:
    async def opens_none(headers: dict[str, str]) -> None:
        if "flask" in request.node.name:  # where Werkzeug routes no websocket to a view, for any caller
            assert (await face.ask("GET", headers)).status_code == 400
        else:
            await refused(face, headers, "cross_site", status=403)

    text = token(face)
    by_cookie = cookie(f"access_token={text}")
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    for said in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.service"},
        {},
    ):
        await refused(face, {**by_cookie, **said}, "cross_site", status=403, method="POST")
        await opens_none({**by_cookie, **said, **upgrade})
        await let_in(face, {**by_cookie, **said})
        await let_in(face, {**bearer(text), **said}, "POST")
    for said in ({"Origin": "http://service"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": ORIGIN}):
        await let_in(face, {**by_cookie, **said}, "POST")
        if "flask" not in request.node.name:
            await let_in(face, {**by_cookie, **said, **upgrade})


@every_kit
async def test_k4_a_page_of_this_host_that_came_by_another_scheme_is_another_site(face: Kit) -> None:
    def by_tls(address: str, **how: Any) -> httpx.Response:
        return face.service(f"https://service{address}", **how)

    by_cookie = cookie(f"access_token={token(face)}")
    for ask, origin, status in (
        (face.service, "http://service", 200),
        (face.service, "https://service", 200),  # TLS may end at a proxy
        (face.service, "evil://service", 403),
        (face.service, "service", 403),
        (face.service, "://service", 403),
        (by_tls, "https://service", 200),
        (by_tls, "http://service", 403),
        (by_tls, ORIGIN, 200),
    ):
        answer = await asyncio.to_thread(ask, "/me", method="POST", headers={**by_cookie, "Origin": origin})
        assert answer.status_code == status, (ask, origin)


@every_kit
async def test_cookie_headers_that_a_server_joined_by_a_comma_name_nobody(face: Kit) -> None:
    """As gunicorn, uWSGI and waitress do; nobody can tell where one cookie ends."""
    text = token(face)
    await refused(face, cookie(f"a=b, access_token={text}"), NOBODY)
    await refused(face, cookie(f"access_token={text}, a=b"), INVALID)
