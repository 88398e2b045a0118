"""`vestibule mail`, as operators type it: what waits, trying it again, and what a real mail server says to a letter."""

import re
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.harness.mail_server import HOST, PASSWORD, USER, MailServer, running
from tests.harness.process import given_keys, run
from tests.harness.servers import free_port
from tests.harness.world import World
from vestibule.model.letters import NotSent, RefusedForGood

EMPTY = "The outbox is empty. Try the mail server with: vestibule mail test EMAIL "
NOTHING_TO_RETRY = "No email has failed, so there is none to retry. See what waits with: vestibule mail list "


class Failing:
    """A mail server that takes nothing."""

    def __init__(self, fault: NotSent) -> None:
        self._fault = fault

    async def send(self, letter: object) -> str:
        raise self._fault


def mail(world: World, folder: Path, *arguments: str) -> tuple[int, str]:
    """The status, and all that it said, without line breaks."""
    done = run(folder, "mail", *arguments, DATABASE_URL=world.backend.database_url, **given_keys())
    return done.returncode, re.sub(r"\s+", " ", done.stdout + done.stderr)


@pytest.fixture
async def failed(world: World) -> World:
    """One letter waits, one was refused for good, one has left."""
    await world.register("gone@example.com")
    faults = {"waits@example.com": NotSent("451 busy"), "refused@example.com": RefusedForGood("550 no such mailbox")}
    working = world.env
    for email, fault in faults.items():
        world.env = replace(working, mailer=Failing(fault))
        await world.register(email)
    world.env = working
    return world


async def test_an_empty_outbox_is_empty(world: World, tmp_path: Path) -> None:
    assert mail(world, tmp_path, "list") == (0, EMPTY)
    assert mail(world, tmp_path, "retry") == (0, NOTHING_TO_RETRY)


async def test_what_waits_and_what_was_refused_is_listed_with_the_reason(failed: World, tmp_path: Path) -> None:
    _, table = mail(failed, tmp_path, "list")
    assert re.search(r"[0-9a-f]{8} verify email waits@example.com .* ago ", table), table
    assert re.search(r"[0-9a-f]{8} verify email refused@example.com .* ago refused", table), table
    status, said = mail(failed, tmp_path, "list", "--long")
    assert status == 0
    waits, refused = r"to waits@example.com queued .* ago attempts 1 .* last error 451 busy", r"550 no such mailbox"
    assert re.search(waits, said), said
    assert re.search(rf"to refused@example.com .* status refused last error {refused}", said), said
    assert "gone@example.com" not in said
    assert "Waiting: 1, the oldest for" in said
    assert "Refused for good: 1." in said
    assert not re.search(r"[0-9a-f]{64}", said)


async def test_both_are_sent_after_a_retry(failed: World, tmp_path: Path) -> None:
    assert mail(failed, tmp_path, "retry") == (0, "Emails to be retried: 2. ")
    failed.clock.advance(days=3650)  # the command goes by the clock on the wall
    await failed.deliver()
    assert {letter.to for letter in failed.mailer.letters[-2:]} == {"waits@example.com", "refused@example.com"}
    assert mail(failed, tmp_path, "list") == (0, EMPTY)


async def test_one_is_named_by_how_its_id_begins(failed: World, tmp_path: Path) -> None:
    beginning = re.findall(r"([0-9a-f]{8}) verify email refused", mail(failed, tmp_path, "list")[1])[0]
    assert mail(failed, tmp_path, "retry", beginning) == (0, "Emails to be retried: 1. ")
    status, said = mail(failed, tmp_path, "retry", "nonsense")
    assert (status, said) == (1, "vestibule: no email in the outbox has an id that begins with nonsense ")


async def test_a_letter_that_has_not_failed_is_none_to_retry_though_others_have(failed: World, tmp_path: Path) -> None:
    body = {"name": "New", "email": "new@example.com", "password": PASSWORD, "passwordConfirm": PASSWORD}
    assert (await (await failed.client()).post("/api/auth/register", json=body)).status_code == 201
    beginning = re.findall(r"([0-9a-f]{8}) verify email new@", mail(failed, tmp_path, "list")[1])[0]
    said = "Nothing to retry: these emails wait for their first attempt, or are being sent now. "
    assert mail(failed, tmp_path, "retry", beginning) == (0, said)
    assert mail(failed, tmp_path, "retry") == (0, "Emails to be retried: 2. ")


def test_a_test_letter_arrives_and_the_answer_is_told(tmp_path: Path) -> None:
    server = MailServer({"DATA": "250 queued as 4711"})
    with running(server) as port:
        done = run(tmp_path, "mail", "test", "Ada@Example.com", EMAIL_HOST=HOST, EMAIL_PORT=str(port), **given_keys())
    assert done.returncode == 0, done.stderr
    assert "Accepted. The server said: queued as 4711" in done.stderr
    message = message_from_bytes(server.contents[-1], policy=policy.default)
    assert (message["To"], message["Subject"]) == ("ada@example.com", "Test email from Vestibule")


def test_a_test_letter_is_written_in_the_language_asked_for(tmp_path: Path) -> None:
    done = run(tmp_path, "mail", "test", "ada@example.com", "--language", "de", **given_keys())
    assert "There is no EMAIL_HOST, so nothing is sent" in done.stderr
    (file,) = (tmp_path / "vestibule-data" / "mail").glob("*-test-*.eml")
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"] == "Test-E-Mail von Vestibule"


def test_a_refusal_is_told_in_the_servers_words_with_where_to_look(tmp_path: Path) -> None:
    with running(MailServer({"RCPT": "550 no such mailbox"})) as port:
        done = run(tmp_path, "mail", "test", "ada@example.com", EMAIL_HOST=HOST, EMAIL_PORT=str(port), **given_keys())
    assert done.returncode == 1
    assert "no such mailbox" in done.stderr
    assert "check EMAIL_HOST" in done.stderr
    assert "Traceback" not in done.stderr


def test_m14_a_server_without_starttls_is_shown_no_password(tmp_path: Path) -> None:
    server = MailServer()
    account = {"EMAIL_HOST": HOST, "EMAIL_USER": USER, "EMAIL_PASS": PASSWORD}
    with running(server, auth_require_tls=False, auth_exclude_mechanism=[]) as port:
        done = run(tmp_path, "mail", "test", "ada@example.com", EMAIL_PORT=str(port), **account, **given_keys())
    assert done.returncode == 1
    assert (server.commands, server.credentials) == ([], [])
    assert PASSWORD not in done.stdout + done.stderr


def test_nobody_there_and_no_email_are_one_sentence_each(tmp_path: Path) -> None:
    nobody = run(
        tmp_path, "mail", "test", "ada@example.com", EMAIL_HOST=HOST, EMAIL_PORT=str(free_port()), **given_keys()
    )
    assert (nobody.returncode, nobody.stderr.count("vestibule: ")) == (1, 2)
    nonsense = run(tmp_path, "mail", "test", "nonsense", **given_keys())
    assert nonsense.returncode == 2
    assert nonsense.stderr == "vestibule: EMAIL: 'nonsense' is not an email that Vestibule sends to\n"
