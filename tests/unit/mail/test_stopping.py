"""C33: a mail server that says nothing holds up no end: the letter is given back, and due for the next process."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.harness.mail_server import HOST, STALL, MailServer, running
from tests.harness.process import given_keys, register, run, serving
from tests.harness.servers import SLACK_SECONDS, wait_until
from tests.harness.world import World
from tests.unit.mail import RENDERER, a_letter
from vestibule.flows import deliver
from vestibule.mail.smtp import Server, SmtpMailer
from vestibule.storage.sql.schema import letters
from vestibule.wiring import background

FOR_EVER = 3600.0
BOUND = 30  # of what takes a moment, and took for ever
STAGES = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


class Heard(MailServer):
    """Says nothing at one stage, and knows when it got there."""

    def __init__(self, stage: str) -> None:
        super().__init__({stage: STALL})
        self.there = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def _answer(self, command: str, server: object) -> str:
        if command in self.answers:
            self._loop.call_soon_threadsafe(self.there.set)
        return await super()._answer(command, server)  # type: ignore[arg-type]


@asynccontextmanager
async def silent_at(stage: str) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A mail server's port, and what is set once it was got to say nothing."""
    if stage != "greeting":
        server = Heard(stage)
        with running(server) as port:
            yield port, server.there
        return
    there = asyncio.Event()
    with socket.create_server((HOST, 0)) as deaf:
        deaf.setblocking(False)
        accepting = asyncio.create_task(asyncio.get_running_loop().sock_accept(deaf))
        accepting.add_done_callback(lambda _: there.set())
        yield deaf.getsockname()[1], there
        (await accepting)[0].close()


@pytest.mark.parametrize("stage", STAGES)
async def test_c33_at_whatever_stage_it_says_nothing_the_way_there_is_left_at_once(stage: str) -> None:
    async with silent_at(stage) as (port, there):
        mailer = SmtpMailer(Server(HOST, port, "none", timeout_seconds=FOR_EVER), RENDERER)
        sending = asyncio.create_task(mailer.send(a_letter()))
        async with asyncio.timeout(BOUND):
            await there.wait()
        async with asyncio.timeout(BOUND):
            await background.end([sending])
        assert sending.cancelled()


@pytest.mark.parametrize("stage", STAGES[:-1])
async def test_c33_a_process_that_ends_gives_the_letter_back(
    stage: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_LAST_LETTER_SECONDS", 0.0)
    # A busy disk may take longer for a commit than a process that ends waits for one.
    monkeypatch.setattr(background, "_CANCEL_AGAIN_SECONDS", 2 * SLACK_SECONDS)
    monkeypatch.setattr(deliver, "_GIVE_BACK_SECONDS", SLACK_SECONDS)
    person = {
        "name": "Ada",
        "email": "ada@example.com",
        "password": "correct horse",
        "passwordConfirm": "correct horse",
    }
    assert (await (await world.client()).post("/api/auth/register", json=person)).status_code == 201
    async with silent_at(stage) as (port, there), asyncio.timeout(2 * BOUND):
        env = replace(world.env, mailer=SmtpMailer(Server(HOST, port, "none", timeout_seconds=FOR_EVER), RENDERER))
        async with background.running(env):
            await there.wait()
    async with world.engines.sqlalchemy_reading() as connection:
        (row,) = (await connection.execute(select(letters.c.due_at, letters.c.last_fault, letters.c.settled_at))).all()
    assert row.due_at <= world.clock.now()
    assert "was stopped" in row.last_fault
    assert row.settled_at is None
    await world.deliver()
    assert len(world.mailer.letters) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_c33_a_server_ends_though_its_mail_server_is_deaf(number: signal.Signals, tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as deaf:
        deaf.settimeout(BOUND)
        settings = {"EMAIL_HOST": HOST, "EMAIL_PORT": str(deaf.getsockname()[1]), **given_keys()}
        with serving(tmp_path, **settings) as server, server.browser() as browser:
            register(browser, "ada@example.com")
            connection, _ = deaf.accept()
            begun = time.monotonic()
            assert server.stop(number) == 0
            assert time.monotonic() - begun < BOUND
            connection.close()
        wait_until(lambda: "due" in run(tmp_path, "mail", "list", **settings).stdout, "its being due")
        assert "was stopped" in run(tmp_path, "mail", "list", "--long", **settings).stdout
