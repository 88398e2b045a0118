"""Redis behind Sentinel: the primary dies, a replica takes its place, and nobody who uses Vestibule notices."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest
from redis import Redis

from measure.faults.ledger import claims
from tests.conftest import not_to_be_had
from tests.harness.backends import Backend
from tests.harness.process import UNLIMITED, Running, given_keys, register, run, serving, sign_in
from tests.harness.servers import NotToBeHad, free_port, wait_until
from tests.running.growing.sentinel import Watched, watched
from vestibule.storage.redis.sentinel import parse
from vestibule.storage.redis.wake_ups import CHANNEL

EMAIL = "ada@example.com"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Watched]:
    with ExitStack() as stack:
        try:
            pair = stack.enter_context(watched(tmp_path))
        except NotToBeHad as reason:
            not_to_be_had(reason)
        yield pair


def test_a_failover_signs_nobody_out_and_lets_nobody_back_in(
    redis: Watched, postgresql: Backend, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": postgresql.database_url, "REDIS_URL": redis.address, **UNLIMITED, **given_keys()}
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(_folder(tmp_path, name), **settings)) for name in ("a", "b")]
        here, there, gone = (stack.enter_context(server.browser()) for server in (*servers, servers[0]))
        register(here, EMAIL)
        for browser in (here, there, gone):
            sign_in(browser, EMAIL)
        wait_until(lambda: _shown(redis.primary.client(), here), "the session on Redis")
        copied = {"Authorization": f"Bearer {gone.cookies['access_token']}"}
        assert gone.post("/api/auth/logout").status_code == 200
        redis.lose_the_primary()
        _all_is_well(servers, [here, there], copied)
        redis.until_the_replica_leads()
        _all_is_well(servers, [here, there], copied)
        sign_in(there, EMAIL)
        wait_until(lambda: _anew(redis, there), "sessions shown on the new primary")
        with redis.replica.client() as leading, leading.pubsub() as wake_ups:
            wait_until(lambda: leading.pubsub_numsub(CHANNEL)[0][1] == len(servers), "all who listen there")
            wake_ups.subscribe(CHANNEL)
            assert here.post("/api/auth/logout").status_code == 200
            wait_until(lambda: wake_ups.get_message(ignore_subscribe_messages=True), "the wake-up of a log-out")


def _folder(above: Path, name: str) -> Path:
    (above / name).mkdir()
    return above / name


def _all_is_well(servers: list[Running], signed_in: list[httpx.Client], signed_out: dict[str, str]) -> None:
    for browser in signed_in:
        assert browser.get("/api/users/me").status_code == 200
        assert browser.post("/api/auth/refresh").status_code == 200
    for server in servers:
        with server.browser() as stranger:
            wait_until(partial(_refuses, stranger, signed_out), "the log-out")
            assert stranger.post("/api/auth/login", json={"email": EMAIL, "password": "wrong horse"}).status_code == 400


def _refuses(stranger: httpx.Client, signed_out: dict[str, str]) -> bool:
    return stranger.get("/api/users/me", headers=signed_out).status_code == 401


def _shown(redis: Redis, browser: httpx.Client) -> bool:
    return bool(redis.exists(f"session:{claims(browser.cookies['access_token'])['sid']}"))


def _anew(redis: Watched, browser: httpx.Client) -> bool:
    """A session opened now may meet the last connection to the old primary, so it is tried until it is shown."""
    sign_in(browser, EMAIL)
    return _shown(redis.replica.client(), browser)


def test_the_doctor_finds_its_way_through_sentinel(redis: Watched, tmp_path: Path) -> None:
    examined = run(tmp_path, "doctor", "--json", REDIS_URL=redis.address, **given_keys())
    assert "Redis 6" in examined.stdout or "Redis 7" in examined.stdout, examined.stdout
    with redis.primary.client() as leading:
        leading.config_set("maxmemory-policy", "allkeys-lru")
    advice = run(tmp_path, "doctor", "--json", REDIS_URL=redis.address, **given_keys()).stdout
    assert "config set maxmemory-policy noeviction" in advice
    assert "REDIS_URL" not in advice, "redis-cli does not know such an address"


def test_the_doctor_says_that_no_sentinel_answers_and_whom_to_ask(tmp_path: Path) -> None:
    dead = f"redis+sentinel://127.0.0.1:{free_port()}/main/0"
    examined = run(tmp_path, "doctor", "--json", REDIS_URL=dead, **given_keys())
    assert "cannot be reached at main, of the Sentinels: no Sentinel knows the primary of main" in examined.stdout
    assert "get-master-addr-by-name" in examined.stdout
    assert "object at" not in examined.stdout


def test_what_the_address_may_say() -> None:
    found = parse("rediss+sentinel://ada:s%40d@one:1,two/main/3?sentinel_password=x")
    assert found.sentinels == [("one", 1), ("two", 26379)]
    assert found.name == "main"
    assert found.for_primary == {"username": "ada", "password": "s@d", "db": 3, "ssl": True}
    assert found.for_sentinels == {"password": "x", "ssl": True}


@pytest.mark.parametrize(
    "address",
    ["://one:1", "://one:1/", ":///main", "://one:1,/main", "://one:1/main/zero", "://one:1/main?sentinel=x"],
)
def test_what_it_may_not_say_stops_the_start_in_one_line(address: str, tmp_path: Path) -> None:
    ended = run(tmp_path, "serve", REDIS_URL=f"redis+sentinel{address}", **given_keys())
    assert ended.returncode == 2
    assert ended.stderr.startswith("vestibule: REDIS_URL: ")
    assert "redis+sentinel://host:26379" in ended.stderr or "sentinel_username" in ended.stderr
