"""F29 and F30: answers to refreshes that get lost, and keys that are missing or wrong."""

import asyncio
from pathlib import Path

import httpx

from measure.faults.cell import Cell, Run
from tests.harness.fault_proxy import Fault, in_front_of
from tests.harness.process import PASSWORD, complaint, given_keys, run
from tests.harness.servers import free_port


async def answers_lost(run: Run) -> None:
    """Send each refresh through a proxy that cuts the answer off, and then twice past it."""
    out, same = 0, 0
    tokens = await _sessions(run)
    with in_front_of(run.stand.ports[0]) as link:
        link.set(Fault.CUT_ANSWER)
        async with run.fault(), httpx.AsyncClient(timeout=10) as client:
            for number in range(run.times):
                token = tokens[number % len(tokens)]
                lost = await _refresh(client, link.port, token)
                first = await _refresh(client, run.stand.ports[1], token)
                second = await _refresh(client, run.stand.ports[0], token)
                assert lost is None, "the link let an answer through"
                out += first is None or second is None
                same += first is not None and first == second
                tokens[number % len(tokens)] = first or token
    run.expect("people signed out by it", f"{out} of {run.times:,}", out == 0)
    run.expect("the same successor on each retry", f"{same} of {run.times:,}", same == run.times)


async def _sessions(run: Run) -> list[str]:
    """Return the refresh tokens of twenty new sessions."""
    async with httpx.AsyncClient(timeout=20) as client:

        async def one(number: int) -> str:
            body = {
                "name": "Ada",
                "email": f"tab{number}@example.com",
                "password": PASSWORD,
                "passwordConfirm": PASSWORD,
            }
            base = run.stand.nodes[number % 2].base
            await client.post(f"{base}/api/auth/register", json=body)
            answer = await client.post(f"{base}/api/auth/login", json=body)
            return str(answer.headers.get_list("set-cookie")[1].partition("=")[2].partition(";")[0])

        return await asyncio.gather(*(one(number) for number in range(20)))


async def _refresh(client: httpx.AsyncClient, port: int, token: str) -> str | None:
    client.cookies.clear()
    try:
        cookie = {"Cookie": f"refresh_token={token}"}
        answer = await client.post(f"http://127.0.0.1:{port}/api/auth/refresh", headers=cookie)
    except httpx.TransportError:
        return None
    return answer.cookies.get("refresh_token") if answer.status_code == 200 else None


async def bad_keys(run_: Run) -> None:
    """Expect each kind of bad key to stop the start, with one line that names the setting."""
    good = given_keys()
    private, public = "JWT_ACCESS_TOKEN_PRIVATE_KEY", "JWT_ACCESS_TOKEN_PUBLIC_KEY"
    folder = run_.stand.folder / "keys"
    folder.mkdir()
    unreadable = folder / "no-data"
    unreadable.write_text("a file where a folder should be")
    bad = {
        "missing": ({name: value for name, value in good.items() if name != private}, private),
        "no PEM": (good | {private: "bm8ga2V5"}, private),
        "of another pair": (good | {public: good["JWT_REFRESH_TOKEN_PUBLIC_KEY"]}, public),
        "secret too short": ({"VESTIBULE_SECRET_KEY": "short"}, "VESTIBULE_SECRET_KEY"),
        "data folder not to be made": ({"VESTIBULE_DATA": str(unreadable / "data")}, "VESTIBULE_DATA"),
    }
    for what, (settings, name) in bad.items():
        ended = await asyncio.to_thread(run, Path(folder), "serve", "--port", str(free_port()), **settings)
        line = complaint(ended.stderr).replace(str(folder), "…")
        clear = ended.returncode != 0 and line.startswith(name)
        run_.expect(f"key {what}: refuses to start with one line that names {name}", line[:60], clear)


CELLS = (
    Cell(
        "F29",
        "answer to a refresh lost",
        "a proxy cuts the answer off; the client tries again",
        "the same successor",
        answers_lost,
        text=1000,
        full=1000,
        short=30,
        recovery=1.0,
    ),
    Cell(
        "F30a",
        "keys rotated under load",
        "every 5 s",
        "no failure in a verifier that caches the JWKS",
        why_not="not under this load yet; tests/stories/keys rotates a hundred times beside a verifier that caches",
    ),
    Cell(
        "F30b",
        "bad keys at the start",
        "missing, no PEM, of another pair",
        "refuses to start with one clear line",
        bad_keys,
        loaded=False,
    ),
)
