"""What one network may do: counted by every line of the URL map that needs it, exactly, whatever becomes of Redis."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from tests.conftest import not_to_be_had
from tests.harness import backends, servers
from tests.harness.backends import Backend
from tests.harness.process import given_keys, run
from tests.harness.world import POLICY, WEB, World, world_on
from vestibule.doctor import proxies as proxies_of_doctor
from vestibule.model.clock import SystemClock
from vestibule.model.events import Event, EventKind
from vestibule.model.limits import Limit, NetworkLimits, RateClass, canonical_address, network_of
from vestibule.observability.logs import masked_address
from vestibule.settings.fields import Settings
from vestibule.settings.to_policy import to_policy
from vestibule.storage.redis import replica
from vestibule.storage.redis.limiter import on_redis
from vestibule.web.client_address import ClientAddresses, is_listed
from vestibule.web.map_reading import PAGES, ROUTES
from vestibule.web.routes import DEVELOPMENT_PAGES

LIMIT = 10
TEN = replace(POLICY, networks=NetworkLimits(dict.fromkeys(RateClass, LIMIT)))
ASKED = {
    RateClass.SIGN_IN: ("POST", "/api/auth/login"),
    RateClass.REGISTER: ("POST", "/api/auth/register"),
    RateClass.MAIL: ("POST", "/api/auth/forgotpassword"),
    RateClass.REFRESH: ("GET", "/api/auth/refresh"),
    RateClass.ACCOUNT: ("GET", "/api/users/me/sessions"),
}
# Nothing is changed, hashed or written; services and proxies ask for everybody they serve.
UNLIMITED = {
    ("GET", "/healthz/live"),
    ("GET", "/healthz/ready"),
    ("GET", "/api/healthchecker"),
    ("GET", "/api/users/me"),
    ("GET", "/api/auth/verify"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/vestibule-permissions"),
}
FOR_SERVICES = {("POST", "/api/auth/introspect"), ("GET", "/api/revocations")}


def browser(world: World, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(world.app, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")


def test_every_line_of_the_map_is_limited_or_known_not_to_be() -> None:
    """G2: no line lacks a limit but those that do nothing."""
    unlimited = {(line.method, line.path) for line in (*ROUTES, *PAGES) if line.limit is None}
    pages = {(page.method, page.path) for page in (*PAGES, *DEVELOPMENT_PAGES) if page.method == "GET"}
    heads = {(route.method, route.path) for route in ROUTES if route.method == "HEAD"}
    assert unlimited - pages - heads == UNLIMITED | FOR_SERVICES
    assert {line.limit for line in (*ROUTES, *PAGES)} - {None} == set(RateClass)


@pytest.mark.parametrize("counted", RateClass)
async def test_g2_one_network_is_cut_off_at_its_limit(backend: Backend, counted: RateClass) -> None:
    """G2: 429 with Retry-After in the contract's envelope, for that network and that kind of request alone."""
    method, path = ASKED[counted]
    async with world_on(backend, TEN) as world, browser(world, "192.0.2.1") as client:
        statuses = [(await client.request(method, path)).status_code for _ in range(LIMIT)]
        assert 429 not in statuses
        answer = await client.request(method, path)
        assert answer.status_code == 429
        assert answer.json() == {
            "status": "fail",
            "code": "too_many_requests",
            "message": "Too many requests from your network, please try again later",
        }
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        for unlimited in UNLIMITED:
            assert (await client.request(*unlimited)).status_code in {200, 401}
        async with browser(world, "192.0.2.2") as other:
            assert (await other.request(method, path)).status_code != 429


async def test_g2_ten_thousand_accounts_from_one_slash_64(backend: Backend) -> None:
    """G2: 10,000 accounts, one password each, from as many addresses of one /64: cut off at the documented number."""
    documented = to_policy(Settings()).networks
    async with world_on(backend, replace(POLICY, networks=documented)) as world:
        allowed = documented.per_minute[RateClass.SIGN_IN]
        answers: Counter[int] = Counter()
        for number in range(10_000):
            async with browser(world, f"2001:db8:1:2::{number:x}") as client:
                # A body that is refused before anything is hashed: what is counted is the asking.
                answers[
                    (await client.post("/api/auth/login", json={"email": f"ada{number}@example.com"})).status_code
                ] += 1
            if answers[429] == 100:
                break
        assert answers == {400: allowed, 429: 100}
        async with browser(world, "2001:db8:1:3::1") as neighbour:
            assert (await neighbour.post("/api/auth/login", json={})).status_code == 400


async def test_g3_the_limit_is_exact_in_a_race(backend: Backend) -> None:
    """G3: two hundred at once, ten are let in."""
    async with world_on(backend, TEN) as world, browser(world, "192.0.2.1") as client:
        answers = await asyncio.gather(*(client.post("/api/auth/login", json={}) for _ in range(200)))
        assert Counter(answer.status_code for answer in answers) == {400: LIMIT, 429: 200 - LIMIT}


async def test_g9_without_redis_a_stricter_limit_counts(tmp_path: Path) -> None:
    """G9: Redis stopped, 1,000 guesses: a fifth of the documented number is let through, and the log says so once."""
    try:
        address, process = servers.start_redis(servers.free_port(), tmp_path)
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)
    limit = Limit("network_sign_in", 100, POLICY.networks.of(RateClass.SIGN_IN).within)
    async with replica.connect(address) as redis:
        counting = on_redis(redis, SystemClock())
        assert await counting.count_or_wait(limit, "192.0.2.1") is None
        process.kill()
        process.wait()
        with capture_logs() as logs:
            taken = [await counting.count_or_wait(limit, "192.0.2.2") for _ in range(1000)]
    assert taken.count(None) == 20
    assert logs[0]["event"] == "limits_count_alone"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_g2_a_network_is_an_ipv4_address_or_a_slash_64(address: str, network: str) -> None:
    assert network_of(address) == network


def forwarded(proxies: str, header: str = "x-forwarded-for") -> dict[str, object]:
    chosen = Settings(VESTIBULE_TRUSTED_PROXIES=proxies, VESTIBULE_PROXY_HEADER=header)
    return {"web": replace(WEB, proxies=chosen.trusted_proxies, proxy_header=chosen.proxy_header)}


async def test_g5_without_a_list_no_header_counts(backend: Backend) -> None:
    """G5: a hundred sign-ins with as many X-Forwarded-For and Forwarded count as one source; the log tells once."""
    with capture_logs() as logs:
        async with world_on(backend, TEN) as world, browser(world, "192.0.2.1") as client:
            answers: Counter[int] = Counter()
            for n in range(100):
                said = {"X-Forwarded-For": f"198.51.100.{n}", "Forwarded": f"for=198.51.100.{n}"}
                answers[(await client.post("/api/auth/login", json={}, headers=said)).status_code] += 1
    assert answers == {400: LIMIT, 429: 100 - LIMIT}
    (told,) = [line for line in logs if line["event"] == "forwarded_header_not_read"]
    assert told["peer"] == "192.0.2.1"
    assert "VESTIBULE_TRUSTED_PROXIES=192.0.2.1" in told["hint"]


PROXY, INNER = "10.0.0.1", "10.0.0.2"


@pytest.mark.parametrize(
    ("header", "sent", "client"),
    [
        ("x-forwarded-for", [], PROXY),
        ("x-forwarded-for", ["198.51.100.1"], "198.51.100.1"),
        ("x-forwarded-for", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("x-forwarded-for", ["203.0.113.9", "198.51.100.1"], "198.51.100.1"),
        ("x-forwarded-for", [f"203.0.113.9, 198.51.100.1, {INNER}"], "198.51.100.1"),
        ("x-forwarded-for", ["198.51.100.1:4711"], "198.51.100.1"),
        ("x-forwarded-for", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("x-forwarded-for", ["2001:DB8:0::1"], "2001:db8::1"),
        ("x-forwarded-for", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("x-forwarded-for", ["203.0.113.9, ::FFFF:c633:6401"], "198.51.100.1"),
        ("x-forwarded-for", ["203.0.113.9, [::ffff:198.51.100.1]:4711, ::ffff:10.0.0.2"], "198.51.100.1"),
        ("x-forwarded-for", [",, ,198.51.100.1,\t,", " , "], "198.51.100.1"),
        ("x-forwarded-for", [","], PROXY),
        ("x-forwarded-for", ["203.0.113.9, nonsense"], PROXY),
        ("x-forwarded-for", [f"203.0.113.9, unknown, {INNER}"], INNER),
        ("x-forwarded-for", [""], PROXY),
        ("x-forwarded-for", ["198.51.100.1, "], "198.51.100.1"),
        ("x-forwarded-for", [f"203.0.113.9, 198.51.100.1, , {INNER}"], "198.51.100.1"),
        ("x-forwarded-for", ["198.51.100.1", ""], "198.51.100.1"),
        ("forwarded", ["for=203.0.113.9, for=198.51.100.1;proto=https"], "198.51.100.1"),
        ("forwarded", ['proto=https; For="[2001:db8::1]:4711"'], "2001:db8::1"),
        ("forwarded", ["for=203.0.113.9, for=_hidden"], PROXY),
        ("forwarded", ["by=198.51.100.1"], PROXY),
        ("forwarded", [", ,for=198.51.100.1, ,"], "198.51.100.1"),
        ("forwarded", ["for=203.0.113.9", "", 'for="198.51.100.1:4711"', " "], "198.51.100.1"),
        ("forwarded", ['for="[::ffff:198.51.100.1]:4711", for="[::ffff:10.0.0.2]"'], "198.51.100.1"),
        ("forwarded", ['for="203.0.113.9, for=198.51.100.1'], "198.51.100.1"),
        ("forwarded", ["for=203.0.113.9, for=unknown"], PROXY),
    ],
)
async def test_g5_a_listed_proxy_is_believed_from_the_right(
    tmp_path: Path, header: str, sent: list[str], client: str
) -> None:
    """G5: with a list, each entry counts only as long as the one who wrote it is listed; the device list shows it."""
    async with (
        backends.fresh(backends.SQLITE, tmp_path) as backend,
        world_on(backend, **forwarded("10.0.0.0/24", header)) as world,
        browser(world, PROXY) as browsing,
    ):
        await world.register()
        # The header that is not chosen is the client's own, and passes through the proxy as it was.
        other = "forwarded" if header == "x-forwarded-for" else "x-forwarded-for"
        said = [*((header, value) for value in sent), (other, "for=203.0.113.66")]
        body = {"email": "ada@example.com", "password": "correct horse"}
        assert (await browsing.post("/api/auth/login", json=body, headers=said)).status_code == 200
        shown = (await browsing.get("/api/users/me/sessions")).json()["data"]["sessions"]
        assert [session["address"] for session in shown] == [client]


IPV4_AS_IPV6 = ["::ffff:10.0.0.1", "::FFFF:0A00:1", "0:0:0:0:0:ffff:10.0.0.1"]


@pytest.mark.parametrize("written", IPV4_AS_IPV6)
async def test_g5_an_ipv4_address_written_as_ipv6_is_the_same_one_everywhere(tmp_path: Path, written: str) -> None:
    """G5, G2: as a proxy that is listed or connects, as a client that is counted, shown, masked and looked for."""
    for listed in (written, f"{written}/128", "10.0.0.0/24", "::ffff:10.0.0.0/120"):
        proxies = Settings(VESTIBULE_TRUSTED_PROXIES=listed).trusted_proxies
        assert is_listed("10.0.0.1", proxies)
        assert is_listed(written, proxies)
        assert not is_listed("10.0.1.1", proxies)
        peer = ClientAddresses(proxies, "x-forwarded-for")
        sent = {"client": (written, 1), "headers": [(b"x-forwarded-for", b"::ffff:198.51.100.1")], "type": "http"}
        assert peer.of(sent) == "198.51.100.1"
    assert network_of(written) == canonical_address(written) == "10.0.0.1"
    assert masked_address(written) == "10.0.0.0/24"
    async with backends.fresh(backends.SQLITE, tmp_path) as backend, world_on(backend) as world:
        events = [Event(world.clock.now(), EventKind.SIGNED_IN, network_address=written)] * 20
        async with world.env.store.transaction() as tx:
            await tx.events.record(*events)
        chosen = Settings(NODE_ENV="production", VESTIBULE_TRUSTED_PROXIES="10.0.0.1")
        async with world.engines.sqlalchemy_reading() as connection:
            (found,) = await proxies_of_doctor.one_address_for_all(chosen, connection)
        assert "let the proxy at 10.0.0.1 set" in (found.remedy)


def test_g5_what_is_no_network_stops_the_start(tmp_path: Path) -> None:
    ended = run(tmp_path, "serve", VESTIBULE_TRUSTED_PROXIES="10.0.0.1, everybody", **given_keys())
    assert ended.returncode == 2
    assert "VESTIBULE_TRUSTED_PROXIES: 'everybody' is not an address" in " ".join(ended.stderr.split())
