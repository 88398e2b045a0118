"""The outbox with real mail servers and real worker processes: nothing is lost, whatever dies and whatever is down."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from multiprocessing.context import ForkServerProcess

import pytest

from tests.harness.backends import Backend
from tests.harness.mail_server import HOST, STALL, MailServer, running
from tests.harness.mail_worker import start_worker
from tests.harness.rounds import rounds
from tests.harness.servers import WAIT_SECONDS, free_port
from tests.harness.world import World, world_on
from tests.unit.flows import verify
from tests.unit.storage import NOW, stored_account
from vestibule.crypto.entropy import new_id
from vestibule.mail.smtp import Server, SmtpMailer
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.outbox import LEASE
from vestibule.model.store import Store

KILLS = rounds(100, suite=10)
LETTERS = 60
WORKERS = 4
# Of what a worker says to the server. After QUIT it has its 250, and has not settled yet.
MOMENTS = ("EHLO", "MAIL", "RCPT", "DATA", "QUIT")


@dataclass
class DeadlyServer(MailServer):
    """A mail server at whose command workers die: the `kill_at`-th time that it hears `moment`."""

    victim: ForkServerProcess | None = None
    moment: str = ""
    kill_at: int = 1
    taken: list[str] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)

    async def _answer(self, command: str, server: object) -> str:
        if self.victim is not None and command == self.moment:
            self.kill_at -= 1
            if self.kill_at == 0:
                self.victim.kill()
                self.killed[command] += 1
                return "421 nobody hears this"
        if command == "DATA":
            self.taken.append(message_id(self.contents[-1]))
        return "250 OK"


def message_id(content: bytes) -> str:
    return str(message_from_bytes(content, policy=policy.default)["Message-ID"])


async def queue(store: Store, count: int) -> set[str]:
    """Letters for `count` people; their Message-IDs."""
    ids = [new_id() for _ in range(count)]
    for number, letter_id in enumerate(ids):
        account = await stored_account(store, email=f"person{number}@example.com")
        async with store.transaction() as tx:
            await tx.letters.queue(QueuedLetter(letter_id, LetterKind.VERIFY_EMAIL, NOW, account.id))
    return {f"<{letter_id}@vestibule.example>" for letter_id in ids}


async def test_dead_workers_lose_nothing_and_double_only_what_was_taken(
    postgresql: Backend, racing_world: World
) -> None:
    """kill -9 between claim and settle: the letter is another worker's as soon as the lease is over."""
    expected = await queue(racing_world.env.store, LETTERS)
    server = DeadlyServer()
    now = NOW
    with running(server) as port:
        for kill in range(KILLS):
            server.moment, server.kill_at = MOMENTS[kill % len(MOMENTS)], 1 + kill // len(MOMENTS) % 2
            server.victim = start_worker(postgresql.database_url, port, now)
            server.victim.join(60)
            assert server.victim.exitcode == -9, server.killed
            now += LEASE
        server.victim = None
        last = start_worker(postgresql.database_url, port, now)
        last.join(60)
        assert last.exitcode == 0
    assert server.killed == dict.fromkeys(MOMENTS, KILLS // len(MOMENTS))
    assert set(server.taken) == expected
    doubles = len(server.taken) - LETTERS
    assert doubles <= server.killed["QUIT"]
    async with racing_world.env.store.reading() as read:
        assert (await read.letters.counts()).waiting == 0


async def test_several_workers_send_each_letter_once(postgresql: Backend, racing_world: World) -> None:
    expected = await queue(racing_world.env.store, LETTERS)
    server = MailServer()
    with running(server) as port:
        workers = [start_worker(postgresql.database_url, port, NOW, looks=3) for _ in range(WORKERS)]
        for worker in workers:
            worker.join(60)
            assert worker.exitcode == 0
    assert Counter(map(message_id, server.contents)) == Counter(expected)


async def test_mail_that_was_down_for_ten_minutes_arrives_and_its_links_are_alive(backend: Backend) -> None:
    async with world_on(backend) as world:
        port = free_port()
        mailer = SmtpMailer(Server(HOST, port, "none", timeout_seconds=5), world.mailer.renderer)
        world.env = replace(world.env, mailer=mailer)
        people = [f"person{n}@example.com" for n in range(5)]
        for email in people:
            await world.register(email)
        end = world.clock.now() + timedelta(minutes=10)
        while world.clock.now() < end:
            world.clock.advance(seconds=5)
            await world.deliver()
        server = MailServer()
        with running(server, port=port):
            for _ in range(75):  # the longest wait is five minutes, give or take a fifth
                world.clock.advance(seconds=5)
                await world.deliver()
        assert sorted(command for command in server.commands if command.startswith("RCPT")) == [
            f"RCPT {email}" for email in people
        ]
        for content in server.contents:
            plain = message_from_bytes(content, policy=policy.default).get_body(("plain",))
            assert plain is not None
            (code,) = re.findall(r"/verifyemail/([0-9a-f]{64})", plain.get_content())
            assert await verify(world, code) == 200


@pytest.mark.parametrize("answer", ["550 no such mailbox", "451 greylisted", STALL], ids=["5xx", "4xx", "stalls"])
async def test_a_letter_that_is_not_taken_does_not_block_the_next(backend: Backend, answer: str) -> None:
    async with world_on(backend) as world:
        bad, good = MailServer({"RCPT": answer}), MailServer()
        with running(bad) as bad_port, running(good) as good_port:
            # Short only where nothing else ends it: a busy machine may take longer for an answer that comes.
            patience = 0.3 if answer is STALL else WAIT_SECONDS
            for email, port, seconds in (
                ("bad@example.com", bad_port, patience),
                ("good@example.com", good_port, WAIT_SECONDS),
            ):
                mailer = SmtpMailer(Server(HOST, port, "none", timeout_seconds=seconds), world.mailer.renderer)
                world.env = replace(world.env, mailer=mailer)
                await world.register(email)
            assert len(good.contents) == 1
            async with world.env.store.reading() as read:
                counts = await read.letters.counts()
        assert (counts.waiting, counts.refused) == ((0, 1) if answer.startswith("5") else (1, 0))
