"""F27 and F28: clocks that are wrong, and a migration that is killed."""

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import httpx

from measure.faults.cell import Cell, Run
from measure.faults.node import Node
from tests.harness.backends import postgresql_database
from tests.harness.process import PROGRAM, environment, given_keys
from vestibule.crypto.entropy import spread

_FAKETIME = Path("/usr/bin/faketime")
_SKEW_SECONDS = 90
_LEEWAY_SECONDS = 30


async def wrong_clocks(run: Run) -> None:
    """Set the second server's clock wrong by each offset. Within the leeway, each must accept the other's tokens."""
    good, other = run.stand.nodes
    for offset in ("+1h", "-1h", f"+{_SKEW_SECONDS}s", f"+{_LEEWAY_SECONDS - 5}s", f"-{_LEEWAY_SECONDS - 5}s"):
        other.kill()
        wrong = Node(other.folder, other.settings, (str(_FAKETIME), "-f", offset, *PROGRAM))
        await wrong.start()
        async with run.fault():
            await _one_offset(run, good, wrong, offset)
        wrong.close()
    await other.start()


async def _one_offset(run: Run, good: Node, wrong: Node, offset: str) -> None:
    within = offset in {f"+{_LEEWAY_SECONDS - 5}s", f"-{_LEEWAY_SECONDS - 5}s"}
    async with httpx.AsyncClient(timeout=20) as client:
        email = f"clock{offset.strip('+-')}{offset[0] == '+'}@example.com"
        body = {"name": "Ada", "email": email, "password": "correct horse", "passwordConfirm": "correct horse"}
        await client.post(f"{good.base}/api/auth/register", json=body)
        statuses = []
        for here, there in ((good, wrong), (wrong, good)):
            login = await client.post(f"{here.base}/api/auth/login", json=body)
            token = login.json().get("access_token", "")
            bearer = {"Authorization": f"Bearer {token}"}
            statuses += [login.status_code]
            statuses += [
                (await client.get(f"{n.base}/api/users/me", headers=bearer)).status_code for n in (here, there)
            ]
            out = await client.post(f"{here.base}/api/auth/logout", headers=bearer)
            statuses.append(out.status_code)
            await asyncio.sleep(1.2)
            gone = [(await client.get(f"{n.base}/api/users/me", headers=bearer)).status_code for n in (here, there)]
            run.expect(f"{offset}: signed out stays out, at both", gone, set(gone) <= {401})
    run.expect(f"{offset}: no 500", statuses, 500 not in statuses)
    if within:
        run.expect(f"{offset}, within the leeway: each takes the other's tokens", statuses, set(statuses) == {200})


async def killed_migrations(run: Run) -> None:
    sound = 0
    async with postgresql_database() as address:
        for _ in range(run.times):
            process = subprocess.Popen(
                [*PROGRAM, "migrate"],
                env=environment(run.stand.folder, {"DATABASE_URL": address} | given_keys()),
                cwd=run.stand.folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            await asyncio.sleep(spread(0.9))
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
        done = await asyncio.to_thread(
            subprocess.run,
            [*PROGRAM, "migrate"],
            env=environment(run.stand.folder, {"DATABASE_URL": address} | given_keys()),
            cwd=run.stand.folder,
            capture_output=True,
            check=False,
        )
        sound = done.returncode
    run.expect("migrating works after all kills", f"status {sound} after {run.times} kills", sound == 0)


CELLS = (
    Cell(
        "F27",
        "wrong clocks",
        "faketime: +1 h, -1 h, 90 s, and within the leeway",
        "none revives, no 500; the leeway holds",
        wrong_clocks if _FAKETIME.exists() else None,
        loaded=False,
        why_not="" if _FAKETIME.exists() else "needs faketime (Debian has it)",
    ),
    Cell(
        "F28",
        "migration killed",
        "kill -9 in `vestibule migrate` at random moments",
        "it can be run again",
        killed_migrations,
        text=20,
        full=20,
        short=2,
        loaded=False,
    ),
)
