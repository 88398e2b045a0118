"""deploy/nginx, started: a service behind it is told who calls, and nobody gets past it unasked."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import make_url

from tests.conftest import not_to_be_had
from tests.docs.paths import ROOT
from tests.harness.backends import Backend
from tests.harness.fault_proxy import Fault, in_front_of
from tests.harness.nginx import EXAMPLE, Nginx, binary, nginx
from tests.harness.process import PASSWORD, Running, given_keys, register, serving
from tests.harness.servers import NotToBeHad, wait_until
from tests.harness.world import FRONT_END

EMAIL = "ada@example.com"
SIGN_INS = 5
NAMES = ("Vestibule-User", "Vestibule-Role", "Vestibule-Session")


@dataclass
class Orders:
    """The service behind: it answers everything, and remembers what it was told of each caller."""

    port: int = 0
    seen: list[dict[str, list[str]]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["Orders"]:
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append({name: self.headers.get_all(name, []) for name in (*NAMES, "Vestibule_User")})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET  # noqa: N815  # the library's name

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


@dataclass(frozen=True)
class Site:
    """All three, and what a client of it does."""

    vestibule: Running
    proxy: Nginx
    orders: Orders

    def sign_in(self, client: httpx.Client) -> dict[str, str]:
        """The headers of somebody who signed in through the proxy; the client forgets the cookies."""
        answer = client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.cookies.clear()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@contextmanager
def site_in(folder: Path, **database: str) -> Iterator[Site]:
    """In production, behind the proxy of the example, which is listed."""
    settings = {
        "NODE_ENV": "production",
        "VESTIBULE_URL": "https://app.example.com",
        "VESTIBULE_TRUSTED_PROXIES": "127.0.0.1",
        "VESTIBULE_SIGN_INS_PER_NETWORK": str(SIGN_INS),
        "VESTIBULE_REVOCATION_STALENESS_SECONDS": "2",
        "ORIGIN": FRONT_END,
        **given_keys(),
        **database,
    }
    try:
        binary()
    except NotToBeHad as reason:
        not_to_be_had(reason)
    with ExitStack() as stack:
        server = stack.enter_context(serving(folder, **settings))
        orders = stack.enter_context(Orders().running())
        proxy = stack.enter_context(nginx(folder, server.port, orders.port))
        with server.browser() as browser:
            register(browser, EMAIL)
        yield Site(server, proxy, orders)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_in(tmp_path) as made:
        yield made


def test_the_service_is_told_who_calls_and_a_log_out_is_real_at_once(site: Site) -> None:
    with site.proxy.client() as client:
        who = site.sign_in(client)
        me = client.get("/api/users/me", headers=who).json()["data"]["user"]
        assert client.get("/orders/1", headers=who).status_code == 200
        assert client.post("/orders/", headers=who, json={"item": "tea"}).status_code == 200
        told = site.orders.seen[-1]
        assert told["Vestibule-User"] == [me["id"]]
        assert told["Vestibule-Role"] == ["user"]
        assert len(told["Vestibule-Session"]) == 1
        assert client.post("/api/auth/logout", headers=who).status_code == 200
        assert client.get("/orders/1", headers=who).status_code == 401
    assert len(site.orders.seen) == 2


def test_the_cookie_is_as_good_as_the_header(site: Site) -> None:
    with site.proxy.client() as client:
        assert client.get("/orders/").status_code == 401
        client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
        assert client.get("/orders/").status_code == 200
    assert site.orders.seen[-1]["Vestibule-Role"] == ["user"]


def test_what_a_client_says_it_is_reaches_nobody(site: Site) -> None:
    forged = dict.fromkeys(NAMES, "admin") | {"Vestibule_User": "admin"}
    with site.proxy.client() as client:
        assert client.get("/orders/", headers=forged).status_code == 401
        assert site.orders.seen == []
        assert client.get("/_verify", headers=site.sign_in(client)).status_code == 404
        assert client.get("/orders/", headers=site.sign_in(client) | forged).status_code == 200
    assert "admin" not in str(site.orders.seen)
    assert site.orders.seen[0]["Vestibule-Role"] == ["user"]


def test_a_vestibule_that_cannot_say_lets_nobody_through(postgresql: Backend, tmp_path: Path) -> None:
    address = make_url(postgresql.database_url)
    with in_front_of(address.port or 5432) as link:
        through = address.set(port=link.port).render_as_string(hide_password=False)
        with site_in(tmp_path, DATABASE_URL=through) as site, site.proxy.client() as client:
            who = site.sign_in(client)
            assert client.get("/orders/", headers=who).status_code == 200
            link.set(Fault.REFUSE)
            wait_until(lambda: client.get("/api/auth/verify", headers=who).status_code == 503, "its doubts")
            assert _answers(client, who) == [(503, "1"), (401, None), (401, None)]
            site.vestibule.stop()
            assert _answers(client, who) == [(503, "1")] * 3
            assert len(site.orders.seen) == 1


def _answers(client: httpx.Client, who: dict[str, str]) -> list[tuple[int, str | None]]:
    """What somebody signed in is answered, somebody who is not, and somebody with nonsense; and when to come again."""
    answers = [client.get("/orders/", headers=h) for h in (who, {}, {"Authorization": "Bearer nonsense"})]
    return [(answer.status_code, answer.headers.get("Retry-After")) for answer in answers]


def test_limits_count_the_client_and_not_the_proxy(site: Site) -> None:
    def tries(client: httpx.Client, **headers: str) -> int:
        wrong = {"email": "nobody@example.com", "password": PASSWORD}
        return client.post("/api/auth/login", json=wrong, headers=headers).status_code

    with site.proxy.client("127.0.0.2") as one, site.proxy.client("127.0.0.3") as other:
        assert [tries(one) for _ in range(SIGN_INS)] == [400] * SIGN_INS
        assert tries(one) == 429
        assert tries(one, **{"X-Forwarded-For": "127.0.0.9"}) == 429
        assert tries(other) == 400


def test_the_page_about_proxies_shows_what_was_started() -> None:
    page = (ROOT / "docs" / "proxies.md").read_text()
    shown = page.partition("```nginx\n")[2].partition("```")[0].splitlines()
    started = {line.strip() for line in EXAMPLE.read_text().splitlines()}
    assert shown
    assert {line.strip() for line in shown} <= started
