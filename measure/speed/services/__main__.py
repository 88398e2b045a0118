"""`python -m measure.speed.services`: measure how soon a sign-out reaches two services, and what a request costs one.

docs/services.md shows the figures. `make bench` measures what a check and the start of a service cost (`rounds.py`).
"""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import uvloop
from rich.console import Console
from rich.table import Table

from measure import scripts
from measure.load import Measured, measure, percentile
from measure.scripts import Tokens
from measure.server import Server, granian, vestibule
from measure.speed.loaded_start import signed_in
from measure.speed.plan import READERS, WARM_UP_SECONDS
from measure.speed.revocation import refused_at
from measure.speed.services.apps import HEALTH
from measure.speed.steps import settings_of
from measure.wire import Asker
from tests.harness.backends import POSTGRESQL, fresh
from tests.harness.process import run
from vestibule.crypto.entropy import new_id

TRIALS = 500
SECONDS = 3.0
ROUNDS = 3
_PATH = "/orders"
_ASK_AGAIN_SECONDS = 0.001
_GRANIAN = (sys.executable, "-m", "granian")


def main() -> None:
    """Run the command."""
    console = Console()
    with (
        TemporaryDirectory(prefix="vestibule-bench-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        rows = runner.run(_with_servers(Path(folder)))
    table = Table("what", "measured", title="The kit for services", title_justify="left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


async def _with_servers(folder: Path) -> list[tuple[str, str]]:
    """Start two Vestibules on one database, and a service behind each. Return the rows of the table."""
    async with fresh(POSTGRESQL, folder) as backend:
        settings = {
            **settings_of(backend),
            "VESTIBULE_SECRET_KEY": new_id(),
            "VESTIBULE_SESSIONS_PER_ACCOUNT": "1000",
        }
        for name in ("a", "b"):
            (folder / name).mkdir()
        async with vestibule(folder / "a", settings) as a, vestibule(folder / "b", settings) as b:
            key = run(folder, "services", "create", "bench", **settings).stdout.strip()
            tokens = await signed_in(a, TRIALS + READERS)
            async with (
                granian("measure.speed.services.apps:with_kit", "asgi", _behind(a, key), HEALTH, _program()) as one,
                granian("measure.speed.services.apps:with_kit", "asgi", _behind(b, key), HEALTH, _program()) as other,
            ):
                delays = await _delays(a, (one, other), tokens[READERS:])
                known = tokens[:READERS]
                listed = {"BENCH_TOKENS": json.dumps([held.access for held in known])}
                async with granian("measure.speed.services.apps:bare", "asgi", listed, HEALTH, _program()) as bare:
                    ours, theirs = await _alternating(one, bare, known)
    return [
        (f"log-out refused by both services, {len(delays)} trials: p50", f"{percentile(delays, 50) * 1e3:.1f} ms"),
        ("the same: p99", f"{percentile(delays, 99) * 1e3:.1f} ms"),
        ("the same: longest", f"{max(delays) * 1e3:.1f} ms"),
        ("a request with a known token, service with the kit", f"{ours.cpu:.0f} µs of CPU"),
        ("the same, service that looks it up in a dictionary", f"{theirs.cpu:.0f} µs of CPU"),
        ("times", f"{ours.cpu / theirs.cpu:.2f}"),
    ]


def _program() -> tuple[str, ...]:
    return (*_GRANIAN, "--factory")


def _behind(server: Server, key: str) -> dict[str, str]:
    return {"BENCH_VESTIBULE": f"http://127.0.0.1:{server.port}", "BENCH_KEY": key}


async def _delays(home: Server, services: tuple[Server, Server], tokens: list[Tokens]) -> list[float]:
    """Return for each token the seconds from sending the sign-out until both services have refused it."""
    delays = []
    async with Asker(home.port) as at_home, Asker(services[0].port) as one, Asker(services[1].port) as other:
        for held in tokens:
            await one.ask(scripts.look(_PATH, held), expected=200)
            await other.ask(scripts.look(_PATH, held), expected=200)
            refused = asyncio.gather(*(refused_at(each, held, _ASK_AGAIN_SECONDS, _PATH) for each in (one, other)))
            sent_at = perf_counter()
            await at_home.ask(scripts.sign_out(held), expected=200)
            delays.append(max(await refused) - sent_at)
    return delays


async def _alternating(ours: Server, theirs: Server, known: list[Tokens]) -> tuple[Measured, Measured]:
    requests = [scripts.look(_PATH, held) for held in known]
    found = (Measured(), Measured())
    for server in (ours, theirs):
        await measure(server, scripts.again_and_again(requests, READERS), WARM_UP_SECONDS, 200)
    for _ in range(ROUNDS):
        for server, done in zip((ours, theirs), found, strict=True):
            done.add(await measure(server, scripts.again_and_again(requests, READERS), SECONDS, 200))
    return found


if __name__ == "__main__":
    main()
