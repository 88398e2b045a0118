"""What `make bench` reads of others: chunks, the log of a server, an event loop that is held, a lock file."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from measure.server import ROOT
from measure.speed import watched
from measure.speed.library import said_in
from measure.speed.limits import algorithm_of
from measure.speed.results import Chosen
from measure.speed.services.first_and_again import _PASSES, _WARMING, time_checks
from measure.speed.services.start import _longest_hold
from measure.wire import UnexpectedAnswer, parse
from vestibule.cli import serve
from vestibule.crypto import jwk, jws

LOCK = ROOT / "measure" / "speed" / "better_auth" / "package-lock.json"
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = b'4\r\n{"a"\r\n10\r\n: "0123456789ab"\r\n1\r\n}\r\n0\r\n\r\n'


def test_an_answer_in_chunks_is_joined_once_all_of_it_is_there() -> None:
    for cut in range(1, len(CHUNKS)):
        assert parse(HEAD + CHUNKS[:-cut]) is None, cut
    answer = parse(HEAD + CHUNKS)
    assert answer is not None
    assert answer.json() == {"a": "0123456789ab"}


def test_an_answer_without_an_end_is_refused() -> None:
    with pytest.raises(UnexpectedAnswer):
        parse(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")


def test_the_log_says_which_library_hashes() -> None:
    line = {"event": "password_hashing", "library": "libsodium", "milliseconds": {"argon2_cffi": 4.0, "libsodium": 2.2}}
    log = f'{{"event": "signed_in"}}\n{json.dumps(line)}\n'
    assert said_in(log) == Chosen("libsodium", {"argon2_cffi": 4.0, "libsodium": 2.2})
    assert said_in('{"event": "signed_in"}\nListening on port 8000') is None


@pytest.mark.parametrize("algorithm", jwk.ALGORITHMS)
def test_the_algorithm_of_a_token_is_read_from_it(algorithm: str) -> None:
    assert algorithm_of(jws.sign({}, jwk.generate(2048, algorithm), "at+jwt")) == algorithm


async def test_the_watch_finds_how_long_the_loop_was_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_WATCH", str(tmp_path / "watch.json"))
    ready = asyncio.Event()
    watching = asyncio.create_task(watched._watch(ready, 0.1))
    await asyncio.sleep(0.2)
    assert not watching.done(), "watched until it is ready, and for a while afterwards"
    ready.set()
    await asyncio.sleep(0.02)
    time.sleep(0.1)  # noqa: ASYNC251  # holds the loop, and takes no CPU
    await watching
    longest, longest_cpu = json.loads((tmp_path / "watch.json").read_text())
    assert longest >= 0.095
    assert longest_cpu < longest


def test_the_watch_stands_in_for_the_program_that_serve_runs() -> None:
    assert f"{watched.plain.__module__}:{watched.plain.__name__}" == serve._WITHOUT_TRACES


def test_better_auth_is_locked_with_hashes_and_names_no_host() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    assert {"node_modules/better-auth", "node_modules/pg"} <= packages.keys()
    for name, package in packages.items():
        assert not name or package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_a_check_is_timed_at_first_sight_of_each_token_and_then_again(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []
    tokens = [f"token-{number}" for number in range(_WARMING + 30)]
    time_checks(seen.append, tokens)
    timed = tokens[_WARMING:]
    assert seen == [*tokens[:_WARMING] * 2, *timed, *timed * _PASSES]
    unknown, known = json.loads(capsys.readouterr().out)
    assert unknown > 0 < known


async def test_a_watch_of_a_start_finds_the_longest_hold_until_it_is_over() -> None:
    over = asyncio.Event()
    watching = asyncio.create_task(_longest_hold(over))
    await asyncio.sleep(0.02)
    time.sleep(0.1)  # noqa: ASYNC251  # holds the loop, and takes no CPU
    await asyncio.sleep(0.02)
    over.set()
    longest, longest_cpu = await watching
    assert longest >= 0.095
    assert longest_cpu < longest
