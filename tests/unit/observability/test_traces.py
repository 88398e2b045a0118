"""Traces of real servers: a request's span, what it waited for below it, and never a secret."""

import json
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness import backends
from tests.harness.process import (
    PASSWORD,
    PRODUCTION,
    Running,
    given_keys,
    link_in,
    register,
    run,
    serving,
    sign_in,
    text_of,
    tour,
)
from tests.harness.servers import wait_until
from tests.unit.observability.collector import Collector, Told, collecting

EMAIL = "ada@example.com"
EXPORTER_SECONDS = 30  # that it goes on trying at its end
LOGIN, ME = "POST /api/auth/login", "GET /api/users/me"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


@pytest.fixture(params=backends.ALL)
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[backends.Backend]:
    async with backends.fresh(request.param, tmp_path) as backend:
        yield backend


def _link(server: Running) -> str:
    return next((link for letter in server.letters if (link := link_in(text_of(letter)))), "")


def _the_request(collector: Collector, name: str) -> Told:
    wait_until(lambda: bool(collector.requests(name)), f"the span of {name}")
    return collector.requests(name)[-1]


async def test_a_sign_in_shows_what_it_waited_for(tmp_path: Path, backend: backends.Backend) -> None:
    with (
        collecting() as collector,
        serving(tmp_path, **collector.settings, **given_keys(), **backend.environment) as server,
        server.browser() as browser,
    ):
        register(browser, EMAIL)
        answer = browser.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
        root = _the_request(collector, LOGIN)
        assert root.attributes["http.response.status_code"] == 200
        assert root.attributes["http.route"] == "/api/auth/login"
        assert root.attributes["vestibule.request_id"] == answer.headers["x-request-id"]
        assert not root.parent
        names = [span.name for span in collector.under(root)]
        assert {"Hasher.matches", "sign"} <= set(names), names
        assert "SELECT accounts" in names, names
        assert "INSERT sessions" in names, names
        assert bool(backend.redis_url) == any(
            "db.system" in s.attributes and s.attributes["db.system"] == "redis" for s in collector.under(root)
        )
        assert sum(s.milliseconds for s in collector.under(root) if s.parent == root.id) <= root.milliseconds * 1.5


async def test_no_secret_travels_with_a_trace(tmp_path: Path, backend: backends.Backend) -> None:
    with (
        collecting() as collector,
        serving(tmp_path, **collector.settings, **given_keys(), **backend.environment) as server,
        server.browser() as browser,
    ):
        tour(browser, EMAIL, lambda: _link(server))
        sign_in(browser, EMAIL)
        browser.get("/api/users/me?secret=in-the-query")
        tokens = [browser.cookies["access_token"], browser.cookies["refresh_token"]]
        browser.post("/api/auth/login", json={"email": EMAIL, "password": "wrong horse"})
        _the_request(collector, "GET /api/auth/verifyemail/{code}")
        wait_until(lambda: len(collector.requests(LOGIN)) == 3, "all three sign-ins")
        code = _link(server).rpartition("/")[2]
        secrets = (EMAIL, PASSWORD, "wrong horse", code, "in-the-query", "127.0.0.1:5", "Ada Lovelace", *tokens)
        for secret in (*secrets, *(token.rpartition(".")[2] for token in tokens)):
            assert secret.encode() not in collector.raw, secret


def test_what_goes_on_by_itself_and_the_probes_are_not_told(tmp_path: Path) -> None:
    with collecting() as collector, serving(tmp_path, **collector.settings, **given_keys()) as server:
        server.ask("GET", "/healthz/ready")
        time.sleep(2.5)  # two looks at the record of revocations
        with server.browser() as browser:
            register(browser, EMAIL)
            sign_in(browser, EMAIL)
            browser.get("/api/users/me")
            browser.get("/api/users/me")
        _the_request(collector, ME)
        roots = {span.name for span in collector.spans if not span.parent}
        assert roots == {"POST /api/auth/register", LOGIN, ME}


@pytest.mark.parametrize(("proxies", "believed"), [("", False), ("127.0.0.1", True)])
def test_only_a_listed_proxy_says_which_trace_a_request_belongs_to(
    tmp_path: Path, proxies: str, believed: bool
) -> None:
    with (
        collecting() as collector,
        serving(tmp_path, **collector.settings, **given_keys(), VESTIBULE_TRUSTED_PROXIES=proxies) as server,
    ):
        server.ask("GET", "/api/users/me", headers=TRACEPARENT)
        root = _the_request(collector, ME)
        assert ((root.trace, root.parent) == (TRACE, PARENT)) is believed
        assert root.attributes["http.response.status_code"] == 401


def test_a_line_of_the_log_names_the_trace(tmp_path: Path) -> None:
    with (
        collecting() as collector,
        serving(tmp_path, **collector.settings, **given_keys(), **PRODUCTION) as server,
        server.browser() as browser,
    ):
        register(browser, EMAIL)
        root = _the_request(collector, "POST /api/auth/register")
        wait_until(lambda: '"registered"' in server.output, "its line of the log")
        (line,) = [json.loads(line) for line in server.output.splitlines() if '"registered"' in line]
        assert line["trace_id"] == root.trace
        assert line["request_id"] == root.attributes["vestibule.request_id"]


def test_where_nobody_takes_them_requests_go_on_and_the_end_is_not_held_up(tmp_path: Path) -> None:
    """A collector that takes connections and never answers; the exporter waits half a minute for it at its end."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        nowhere = {
            "VESTIBULE_TRACES": "on",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{deaf.getsockname()[1]}",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "120",
        }
        with serving(tmp_path, **nowhere, **given_keys()) as server, server.browser() as browser:
            register(browser, EMAIL)
            sign_in(browser, EMAIL)
            begun = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - begun < EXPORTER_SECONDS


def test_without_the_extra_the_start_says_what_to_install(tmp_path: Path) -> None:
    missing = tmp_path / "site" / "sitecustomize.py"
    missing.parent.mkdir()
    missing.write_text(
        "import importlib.metadata as m\n"
        "def gone(name, found=m.distribution):\n"
        "    if name.startswith('opentelemetry'): raise m.PackageNotFoundError(name)\n"
        "    return found(name)\n"
        "m.distribution = gone\n"
    )
    wrong = {"PORT": "x", "VESTIBULE_LANGUAGE": "tlh"}
    started = run(tmp_path, "serve", VESTIBULE_TRACES="on", PYTHONPATH=str(missing.parent), **wrong)
    assert started.returncode == 2
    assert "pip install '.[server,traces]'" in started.stderr
    lines = [line.removeprefix("vestibule: ").partition(":")[0] for line in started.stderr.splitlines()]
    assert sorted(lines) == ["PORT", "VESTIBULE_LANGUAGE", "VESTIBULE_TRACES"]
