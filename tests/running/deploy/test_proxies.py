"""What every proxy in deploy/ keeps from a service behind it: other sites' requests, forged headers, our cookies."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import not_to_be_had
from tests.docs.paths import ROOT
from tests.harness.caddy import caddy
from tests.harness.nginx import NAME, Nginx, nginx
from tests.harness.process import PASSWORD, PRODUCTION, Running, given_keys, register, serving
from tests.harness.servers import NotToBeHad, wait_until
from tests.unit.observability.collector import Collector, collecting

EMAIL = "ada@example.com"
LOGIN = "POST /api/auth/login"
STARTED: dict[str, Callable[[Path, int, int], AbstractContextManager[Nginx]]] = {"nginx": nginx, "caddy": caddy}
TOLD = ("Vestibule-User", "Vestibule-Role", "Vestibule-Session", "Vestibule-Email-Verified")
ROLES = "Vestibule-Roles"  # empty without any, and then left out by nginx
ACTOR = "Vestibule-Actor"  # told only while an operator acts
WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
ELSEWHERE = "https://elsewhere.example"
OTHER_SITES = {
    "a form": ("POST", {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site"}),
    "a form on a sandboxed page": ("POST", {"Origin": "null", "Sec-Fetch-Site": "cross-site"}),
    "a form in an old browser": ("POST", {"Origin": ELSEWHERE}),
    "a neighbour's form": ("POST", {"Origin": "https://other.example.com", "Sec-Fetch-Site": "same-site"}),
    "a form in a browser that says nothing": ("POST", {"User-Agent": "Mozilla/5.0"}),
    "a script": ("DELETE", {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site"}),
    "a script that reads": ("GET", {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site"}),
    "a websocket": ("GET", {"Origin": ELSEWHERE, **WEBSOCKET}),
    "a websocket in a new browser": ("GET", {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site", **WEBSOCKET}),
}
OWN_SITE = {
    "a form of its own": ("POST", {"Origin": f"https://{NAME}", "Sec-Fetch-Site": "same-origin"}),
    "a form in an old browser": ("POST", {"Origin": f"https://{NAME}"}),
    "the front-end's script": ("PUT", {"Origin": PRODUCTION["ORIGIN"], "Sec-Fetch-Site": "cross-site"}),
    "a link from elsewhere": ("GET", {"Sec-Fetch-Site": "cross-site", "User-Agent": "Mozilla/5.0"}),
    "a program": ("POST", {"User-Agent": "curl/8.14"}),
    "a websocket of its own": ("GET", {"Origin": f"https://{NAME}", **WEBSOCKET}),
}


@dataclass
class Service:
    """It answers everything, and keeps the headers of each request, names in lower case."""

    seen: list[list[tuple[str, str]]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[int]:
        """Its port."""
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append([(name.lower(), value) for name, value in self.headers.items()])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815  # the library's names

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield server.server_port
            server.shutdown()

    def last(self, name: str) -> list[str]:
        """What the newest request had under this name."""
        return [value for each, value in self.seen[-1] if each == name.lower()]


@dataclass(frozen=True)
class Site:
    vestibule: Running
    proxy: Nginx
    service: Service
    cookies: dict[str, str]
    traces: Collector

    def ask(self, method: str = "GET", cookies: str = "", **headers: str) -> httpx.Response:
        """A browser that is signed in, with `cookies` beside its own."""
        own = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with self.proxy.client() as client:
            return client.request(method, "/orders/1", headers={**headers, "Cookie": f"{own}; {cookies}".strip("; ")})


@pytest.fixture(scope="module", params=STARTED)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp(request.param)
    settings = {
        **PRODUCTION,
        **given_keys(),
        "VESTIBULE_URL": f"https://{NAME}",
        "VESTIBULE_TRUSTED_PROXIES": "127.0.0.1",
    }
    with ExitStack() as stack:
        traces = stack.enter_context(collecting())
        server = stack.enter_context(serving(folder, **settings, **traces.settings))
        service = Service()
        port = stack.enter_context(service.running())
        try:
            proxy = stack.enter_context(STARTED[request.param](folder, server.port, port))
        except NotToBeHad as reason:
            not_to_be_had(reason)
        with server.browser() as browser:
            register(browser, EMAIL)
        with proxy.client() as client:
            answer = client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            cookies = {cookie.name: cookie.value or "" for cookie in client.cookies.jar}
        yield Site(server, proxy, service, cookies, traces)


@pytest.mark.parametrize(("method", "headers"), OTHER_SITES.values(), ids=OTHER_SITES)
def test_l11_what_another_site_sends_never_reaches_the_service(
    site: Site, method: str, headers: dict[str, str]
) -> None:
    before = len(site.service.seen)
    assert site.ask(method, **headers).status_code == 403
    assert len(site.service.seen) == before


@pytest.mark.parametrize(("method", "headers"), OWN_SITE.values(), ids=OWN_SITE)
def test_l11_what_the_site_itself_sends_does(site: Site, method: str, headers: dict[str, str]) -> None:
    assert site.ask(method, **headers).status_code == 200
    assert len(site.service.last("vestibule-user")) == 1


def test_l11_a_token_in_a_header_is_nothing_that_another_site_can_send(site: Site) -> None:
    who = {"Authorization": f"Bearer {site.cookies['access_token']}", "Origin": ELSEWHERE}
    with site.proxy.client() as client:
        assert client.post("/orders/", headers=who).status_code == 200


def test_l12_the_service_gets_no_cookie_of_ours_and_every_other(site: Site) -> None:
    others = "theme=dark; session_id=s%3A1; accessx_token=y; x"
    assert any(name.removeprefix("__Host-").startswith("device_") for name in site.cookies)
    assert site.ask(cookies=others).status_code == 200
    assert site.service.last("cookie") == [others]
    assert site.service.last("vestibule-cookie") == []
    values = str(site.service.seen[-1])
    assert not any(value in values for value in site.cookies.values() if value != "true")
    assert site.ask().status_code == 200
    assert "".join(site.service.last("cookie")) == ""


@pytest.mark.parametrize("name", [*TOLD, ROLES, "Vestibule-Cookie", "vestibule-user", "VESTIBULE-ROLE"])
def test_l13_what_is_told_is_told_once_whatever_the_client_says(site: Site, name: str) -> None:
    answer = site.ask(**{name: "forged"})
    if answer.status_code == 200:
        assert "forged" not in str(site.service.seen[-1])
        assert [len(site.service.last(each)) for each in TOLD] == [1] * len(TOLD)
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize("name", ["Vestibule-Admin", "Vestibule_Actor", "Vestibule_User", "vestibule_email_verified"])
def test_l13_nothing_else_that_begins_like_ours_reaches_the_service(site: Site, name: str) -> None:
    before = len(site.service.seen)
    assert site.ask(**{name: "forged"}).status_code in {200, 400}
    assert not [1 for each in site.service.seen[before:] if name.lower() in dict(each) or "forged" in str(each)]


def test_l13_nobody_says_that_an_operator_acts(site: Site) -> None:
    """L13: without one, a proxy passes the header on without a value, or not at all."""
    before = len(site.service.seen)
    assert site.ask(**{ACTOR: "forged"}).status_code in {200, 400}
    assert site.ask().status_code == 200
    assert [dict(each).get(ACTOR.lower(), "") for each in site.service.seen[before:]][-1] == ""
    assert "forged" not in str(site.service.seen[before:])


def test_l14_no_client_chooses_the_id_that_is_logged(site: Site) -> None:
    with site.proxy.client() as client:
        answer = client.get("/api/healthchecker", headers={"X-Request-ID": "chosen"})
        assert answer.headers["x-request-id"] != "chosen"
    site.ask(**{"X-Request-ID": "chosen"})
    assert "chosen" not in site.vestibule.output


@pytest.mark.parametrize("flags", ["01", "00"], ids=["traced", "not to be traced"])
def test_l19_no_client_chooses_its_trace_or_whether_there_is_one(site: Site, flags: str) -> None:
    """L19: neither on a line of the log, nor at the collector, nor at the service."""
    chosen, before = "0af7651916cd43dd8448eb211c80319c", len(site.traces.requests(LOGIN))
    headers = {"traceparent": f"00-{chosen}-b7ad6b7169203331-{flags}", "tracestate": "a=chosen"}
    with site.proxy.client() as client:
        wrong = {"email": "nobody@example.com", "password": PASSWORD}
        assert client.post("/api/auth/login", json=wrong, headers=headers).status_code == 400
    assert site.ask(**headers).status_code == 200
    assert site.service.last("traceparent") == site.service.last("tracestate") == []
    wait_until(lambda: len(site.traces.requests(LOGIN)) > before, "the span of the sign-in")
    trace = site.traces.requests(LOGIN)[-1].trace
    wait_until(lambda: f'"trace_id": "{trace}"' in site.vestibule.output, "its line in the log")
    assert chosen not in site.vestibule.output
    assert chosen not in {span.trace for span in site.traces.spans}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("X-Long", "a" * 7_000)] * 3, 431),
        ([(f"X-{number}", "1") for number in range(110)], 431),
        ([("Authorization", "Bearer a"), ("Authorization", "Bearer b")], 400),
    ],
    ids=["a long head", "many headers", "two credentials"],
)
def test_l15_a_request_that_is_wrong_is_not_told_to_come_again(
    site: Site, headers: list[tuple[str, str]], status: int
) -> None:
    with site.proxy.client() as client:
        answer = client.get("/orders/", headers=headers)
    # A head that is too long is refused while the proxy writes it: the reset may reach the proxy before the answer.
    assert answer.status_code in ({status, 502} if status == 431 else {status}), answer.text
    assert "retry-after" not in answer.headers


def test_l13_every_file_names_all_that_is_told() -> None:
    """L13: those that cannot be started here too."""
    files = {path: path.read_text() for path in (ROOT / "deploy").rglob("*") if path.is_file()}
    asking = {path: text for path, text in files.items() if "/api/auth/verify" in text and path.suffix != ".md"}
    assert len(asking) >= 3
    page = (ROOT / "docs" / "proxies.md").read_text()
    for path, text in (*asking.items(), (Path("docs/proxies.md"), page)):
        missing = [name for name in TOLD if name.lower() not in text.lower()]
        assert not missing, f"{path.name} does not replace {missing}"


def test_l19_every_file_takes_away_what_a_client_says_of_traces() -> None:
    """L19: those that cannot be started here too, and what the page about proxies shows."""
    files = [path.read_text() for path in (ROOT / "deploy").rglob("*") if path.is_file() and path.suffix != ".md"]
    asking = [text for text in files if "/api/auth/verify" in text]
    assert len(asking) == len(STARTED) + 1
    for text in (*asking, (ROOT / "docs" / "proxies.md").read_text()):
        assert {"traceparent", "tracestate"} <= set(re.findall(r"trace(?:parent|state)", text.lower()))


def test_l12_l13_traefik_passes_on_no_cookie_and_no_forged_header() -> None:
    """L12, L13: Traefik is not to be had here; its file is read."""
    dynamic: Any = yaml.safe_load((ROOT / "deploy" / "traefik" / "dynamic.yml").read_text())
    http = dynamic["http"]
    chain = [http["middlewares"][name] for name in http["routers"]["orders"]["middlewares"]]
    removed = {name.lower() for each in chain if "headers" in each for name in each["headers"]["customRequestHeaders"]}
    assert {"cookie", "x-request-id", "traceparent", "tracestate"} <= removed
    told = {*TOLD, ROLES, ACTOR}
    assert {name.lower() for name in told} | {name.lower().replace("-", "_") for name in told} <= removed
    (asked,) = [each["forwardAuth"] for each in chain if "forwardAuth" in each]
    assert set(asked["authResponseHeaders"]) == told
    assert "authRequestHeaders" not in asked, "Origin and Fetch Metadata go along"
