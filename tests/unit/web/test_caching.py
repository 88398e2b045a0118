"""What depends on who asks is stored nowhere: by its headers on every line of the map, and behind a real cache.

S12, O18: `no-store` and `Vary` on everything of a caller's; no cookie on what may be kept.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import not_to_be_had
from tests.harness.process import Running, given_keys, register, serving, sign_in
from tests.harness.servers import WAIT_SECONDS, NotToBeHad, free_port, listening, wait_until
from tests.harness.world import World
from tests.unit.web.people import ada
from vestibule.web.map_reading import PAGES, ROUTES

pytestmark = pytest.mark.any_engine
LINES = [(line.method, line.path) for line in (*ROUTES, *PAGES)]
PUBLIC = {
    "/.well-known/jwks.json",
    "/.well-known/vestibule-permissions",
    "/static/pages.css",
    "/static/pages.js",
    "/static/logo",
}
# A cache that looks at nothing but the answer: neither a cookie nor a credential in the request stops it.
VCL = """
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{port}"; }}
sub vcl_recv {{ if (req.method == "GET" || req.method == "HEAD") {{ return (hash); }} return (pass); }}
sub vcl_deliver {{ if (obj.hits > 0) {{ set resp.http.X-Kept = "yes"; }} }}
"""


@pytest.mark.parametrize(("method", "path"), LINES)
async def test_s12_o18_every_line_says_what_may_keep_its_answer(world: World, method: str, path: str) -> None:
    client = await ada(world)
    for asking in (client, await world.client(None)):
        answer = await asking.request(method, re.sub(r"\{\w+\}", "0" * 64, path), timeout=WAIT_SECONDS)
        cacheable = answer.headers["cache-control"].startswith("public")
        assert cacheable == (path in PUBLIC and answer.status_code == 200)
        if cacheable:
            assert "set-cookie" not in answer.headers
        else:
            assert answer.headers["cache-control"] == "no-store"
            assert {"cookie", "authorization"} <= set(re.split(r",\s*", answer.headers["vary"].lower()))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("server"), **given_keys()) as running:
        yield running


@pytest.fixture(scope="module")
def varnish(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Varnish in front of it; its address."""
    program = shutil.which("varnishd") or shutil.which("varnishd", path="/usr/sbin")
    if program is None:
        not_to_be_had(NotToBeHad("varnishd: not found; apt-get install varnish"))
    folder: Path = tmp_path_factory.mktemp("varnish")
    (folder / "cache.vcl").write_text(VCL.format(port=server.port))
    port = free_port()
    command = [
        str(program),
        "-j",
        "none",
        "-F",
        "-a",
        f"127.0.0.1:{port}",
        "-f",
        str(folder / "cache.vcl"),
        "-s",
        "malloc,16M",
    ]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen([*command, "-n", str(folder / "state")], stdout=log, stderr=log)
    try:
        wait_until(lambda: listening(port) or running.poll() is not None, "Varnish")
        assert running.poll() is None, (folder / "log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(WAIT_SECONDS)


def test_s12_behind_a_cache_nobody_gets_what_is_another_s(server: Running, varnish: str) -> None:
    """S12: through Varnish, which is told to keep whatever the answer lets it."""
    people = ("ada@example.com", "grace@example.com")
    with httpx.Client(base_url=varnish, headers={"Origin": "http://localhost:3000"}, timeout=WAIT_SECONDS) as nobody:
        for path in ("/api/users/me", "/api/auth/verify", "/profile", "/login", "/profile/security"):
            for email in people:
                with httpx.Client(base_url=varnish, headers=nobody.headers, timeout=WAIT_SECONDS) as browser:
                    _sign_in(server, browser, email)
                    for _ in range(2):
                        answer = browser.get(path)
                        assert "x-kept" not in answer.headers, path
                        if path == "/api/users/me":
                            assert answer.json()["data"]["user"]["email"] == email
            assert nobody.get(path).status_code in {200, 303, 401}
            assert "ada@" not in nobody.get(path).text
        kept = [nobody.get("/.well-known/jwks.json") for _ in range(3)]
        assert kept[-1].headers.get("x-kept") == "yes", "the cache does keep what it may"


def _sign_in(server: Running, browser: httpx.Client, email: str) -> None:
    with server.browser() as direct:
        if direct.post("/api/auth/login", json={"email": email, "password": "correct horse"}).status_code != 200:
            register(direct, email)
    sign_in(browser, email)
