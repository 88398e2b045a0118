"""Which library hashes passwords is measured beside the first requests, and said in the log."""

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from tests.harness.world import World
from vestibule.crypto import passwords
from vestibule.crypto.argon2_libraries import Measurement
from vestibule.crypto.passwords import Hasher
from vestibule.wiring import background

pytestmark = pytest.mark.any_engine


def on_a_machine_of(monkeypatch: pytest.MonkeyPatch, measurement: Measurement) -> None:
    choose = Hasher.choose_library
    monkeypatch.setattr(passwords.Hasher, "choose_library", lambda self: choose(self, lambda _: measurement))


@pytest.mark.parametrize(
    ("measurement", "chosen"), [(Measurement(4.04, 2.2), "libsodium"), (Measurement(4.04, 3.96), "argon2-cffi")]
)
async def test_p14_the_log_says_which_library_hashes_and_why(
    world: World, monkeypatch: pytest.MonkeyPatch, measurement: Measurement, chosen: str
) -> None:
    """P14: once for each process, with what each took; and people sign in with hashes of before."""
    await world.register()
    on_a_machine_of(monkeypatch, measurement)
    with capture_logs() as logs:
        await background.choose_hash_library(world.env)
    assert [line for line in logs if line["event"] == "password_hashing"] == [
        {
            "event": "password_hashing",
            "log_level": "info",
            "library": chosen,
            "milliseconds": {"argon2_cffi": 4.0, "libsodium": round(measurement.libsodium, 1)},
        }
    ]
    assert world.env.passwords.library == chosen
    await world.sign_in()
    await world.register("bob@example.com")
    await world.sign_in("bob@example.com")


async def test_p14_what_cannot_be_measured_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """P14: argon2-cffi goes on, and the log has the reason."""

    def broken(_: Hasher) -> Measurement:
        raise MemoryError

    monkeypatch.setattr(Hasher, "choose_library", broken)
    with capture_logs() as logs:
        await background.choose_hash_library(world.env)
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("password_hashing_not_measured", "error"),
        ("password_hashing", "info"),
    ]
    assert world.env.passwords.library == "argon2-cffi"


async def test_p14_nobody_waits_for_the_measurement(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """P14: a server is ready, and people register and sign in, before it is over."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: Hasher) -> None:
        begun.set()
        assert go_on.wait(60)

    monkeypatch.setattr(Hasher, "choose_library", slow)
    try:
        async with background.running(world.env):
            assert (await (await world.client(origin=None)).get("/healthz/ready")).status_code == 200
            await world.register()
            await world.sign_in()
            assert await asyncio.to_thread(begun.wait, 60)
            go_on.set()
    finally:
        go_on.set()
