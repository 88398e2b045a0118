"""fastapi-users under the same load, on the same PostgreSQL and the same server."""

import sys
from itertools import cycle
from pathlib import Path
from urllib.parse import urlencode

from measure import scripts
from measure.load import ClientInfo, Script, measure
from measure.server import granian
from measure.speed.plan import READERS, WRITERS, Plan
from measure.speed.results import Operation, Results
from measure.wire import Asker, request
from tests.harness.process import PASSWORD
from vestibule.crypto.passwords import Argon2id

_EMAIL = "ada@example.com"
# Its requirements and Vestibule's exclude each other, so it has an environment of its own.
_PROGRAM = (str(Path(sys.prefix) / "peer" / "bin" / "python"), "-m", "granian")


async def measure_peer(plan: Plan, database: str, results: Results) -> None:
    """Sign in, look and sign out."""
    cost = Argon2id()
    environment = {
        "BENCH_DATABASE": database.replace("postgresql://", "postgresql+asyncpg://"),
        "BENCH_ARGON2": f"{cost.iterations} {cost.memory_kib} {cost.lanes}",
    }
    async with granian("measure.speed.peer:application", "asgi", environment, "/openapi.json", _PROGRAM) as server:
        async with Asker(server.port) as asker:
            registration = request("POST", "/register", body={"email": _EMAIL, "password": PASSWORD})
            await asker.ask(registration, expected=201)
        tokens: list[str] = []
        signing_in = [ClientInfo(_signing_in(tokens)) for _ in range(WRITERS)]
        results.peer[Operation.LOGIN].add(await measure(server, signing_in, plan.peer, 200))
        looks = [request("GET", "/users/me", token=token) for token in tokens]
        reading = scripts.sharing(cycle(looks), READERS)
        results.peer[Operation.ME].add(await measure(server, reading, plan.peer, 200))
        leaving = scripts.sharing((request("POST", "/auth/logout", token=token) for token in tokens), WRITERS)
        results.peer[Operation.LOGOUT].add(await measure(server, leaving, 600, 204))


def _signing_in(tokens: list[str]) -> Script:
    sent = request("POST", "/auth/login", form=urlencode({"username": _EMAIL, "password": PASSWORD}))
    while True:
        answer = yield sent
        tokens.append(answer.json()["access_token"])
