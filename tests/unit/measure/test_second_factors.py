"""What `make bench` does with second factors before it measures them works on a server as it is now."""

from pathlib import Path

from measure import scripts
from measure.server import Server, answering
from measure.speed.second_factors import _HANDLE, _STEP, _answer, _enrol, _second_step
from measure.wire import Asker
from tests.harness.backends import SECRET
from tests.harness.process import PRODUCTION, UNLIMITED, starting
from vestibule.model.clock import SystemClock

EMAIL = "ada@example.com"


async def test_somebody_enrols_and_signs_in_by_a_code_and_by_a_passkey(tmp_path: Path) -> None:
    with starting(tmp_path, VESTIBULE_SECRET_KEY=SECRET, **PRODUCTION, **UNLIMITED) as running:
        await answering(running.port, "/healthz/ready", running.process)
        server = Server.of(running)
        app, passkeys = await _enrol(server, EMAIL)
        async with Asker(server.port) as asker:
            waiting = await asker.ask(scripts.sign_in(EMAIL), expected=403)
            code = app.at(SystemClock().now() + _STEP)
            await asker.ask(_second_step(waiting.cookie(_HANDLE), code), expected=200)
            await asker.ask(await _answer(server, passkeys), expected=200)
