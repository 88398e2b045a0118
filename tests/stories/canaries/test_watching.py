"""L16: nothing private is in a span or a metric, whatever line of the map is asked, and where the database breaks."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.harness import backends
from tests.harness.process import Running, given_keys, link_in, serving, text_of
from tests.harness.servers import free_port, wait_until
from tests.stories.canaries import FIELDS as ANY_FIELDS
from tests.stories.canaries import LINES, MARK, NAME, PASSWORD, SERVICE_KEY, singing
from tests.unit.observability.collector import collecting
from vestibule.storage.sql import engine

EMAIL = f"ada.{MARK}@example.com"
FIELDS = {**ANY_FIELDS, "email": EMAIL}
SAID_OF_ITSELF = {
    "User-Agent": f"{MARK}/1.0",
    "Referer": f"https://{MARK}.example/",
    "X-Request-ID": MARK,
    "traceparent": f"00-{MARK}",
    "tracestate": f"x={MARK}",
    "baggage": f"x={MARK}",
}


@pytest.fixture(params=backends.ALL)
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[backends.Backend]:
    async with backends.fresh(request.param, tmp_path) as backend:
        yield backend


def enter(server: Running, browser: httpx.Client) -> list[str]:
    """Somebody who is signed in and has mail; what was made up by Vestibule."""
    mine = {"name": NAME, "email": EMAIL, "password": PASSWORD, "passwordConfirm": PASSWORD}
    assert browser.post("/api/auth/register", json=mine).status_code == 201
    assert browser.post("/api/auth/login", json=mine).status_code == 200
    wait_until(lambda: any(link_in(text_of(letter)) for letter in server.letters), "the letter")
    tokens = [browser.cookies["access_token"], browser.cookies["refresh_token"]]
    return [link_in(text_of(server.letters[0])).rpartition("/")[2], *tokens, *(t.rpartition(".")[2] for t in tokens)]


def ask_for_everything(browser: httpx.Client, secrets: list[str]) -> int:
    """Every line of the map, each with all of it; how many of the answers were faults."""
    cookies, faults = f"access_token={secrets[1]}; refresh_token={secrets[2]}", 0
    for method, pattern in [*LINES, ("GET", f"/{MARK}"), (MARK.upper(), "/login")]:
        path = re.sub(r"\{(session_id|kind|language)\}", MARK, pattern)
        path = re.sub(r"\{(code|token)\}", secrets[0], path)
        browser.cookies.clear()
        # A body that nobody reads, as that of a GET, ends the connection after the answer.
        said = {"Cookie": cookies, "Connection": "close", **SAID_OF_ITSELF}
        how: dict[str, Any] = {"headers": said, "params": FIELDS}
        if path == "/api/auth/introspect":
            how["headers"]["Authorization"] = f"Bearer {SERVICE_KEY}"
        how["json" if path.startswith("/api") else "data"] = FIELDS
        faults += browser.request(method, path, **how).status_code >= 500
    return faults


async def test_l16_nothing_private_is_in_a_span_or_a_metric(backend: backends.Backend, tmp_path: Path) -> None:
    metrics = free_port()
    with (
        collecting() as collector,
        serving(
            tmp_path,
            **collector.settings,
            **given_keys(),
            **backend.environment,
            VESTIBULE_METRICS=str(metrics),
            VESTIBULE_EMAIL_CODE="on",
        ) as server,
        server.browser() as browser,
    ):
        secrets = enter(server, browser)
        ask_for_everything(browser, secrets)
        await _break(backend)
        assert ask_for_everything(browser, secrets) > 0
        measured = browser.get(f"http://127.0.0.1:{metrics}/metrics").text
        assert server.stop() == 0  # which has the last spans sent
    assert {route for _, route in LINES} - {span.attributes.get("http.route") for span in collector.spans} <= UNTOLD
    assert 'route="/verifyemail/{code}"' in measured
    for channel in (collector.raw.decode("latin-1"), measured):
        assert not singing(channel, *secrets, EMAIL)


UNTOLD = {"/healthz/live", "/healthz/ready", "/api/healthchecker", "/.well-known/jwks.json"}


async def _break(backend: backends.Backend) -> None:
    engines = engine.connect(backend.database_url)
    async with engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("ALTER TABLE events RENAME TO lost"))
    await engines.close()
