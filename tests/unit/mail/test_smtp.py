"""Letters handed over to real SMTP servers: good ones, grudging ones, and ones that a password must not reach."""

import ssl
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.smtp import LoginPassword

from tests.harness.mail_server import CUT, HOST, PASSWORD, STALL, USER, MailServer, certified, running
from tests.harness.servers import free_port
from tests.unit.mail import RENDERER, SECRETS, a_letter
from vestibule.mail.smtp import Security, Server, SmtpMailer, security_for
from vestibule.model.letters import LetterKind, NotSent, RefusedForGood

DELIVERED = ["MAIL no-reply@vestibule.example", "RCPT ada@example.com", "DATA"]
DELIVERED_AFTER_STARTTLS = ["MAIL no-reply@vestibule.example after STARTTLS", *DELIVERED[1:]]
TIMEOUTS = 0.3
Tls = Callable[..., ssl.SSLContext]


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tls:
    """A server's side of TLS; `trusted` puts its certificate where this machine looks for authorities."""

    def context(name: str = "localhost", trusted: bool = True) -> ssl.SSLContext:
        certificate, key = certified(name)
        file = tmp_path / "certificate.pem"
        file.write_bytes(certificate + key)
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made.load_cert_chain(file)
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(file))
        return made

    return context


async def send(
    port: int, security: Security = "none", user: str = "", kind: LetterKind | None = None, timeouts: float = 10
) -> None:
    server = Server(HOST, port, security, user, PASSWORD if user else "", timeouts)
    await SmtpMailer(server, RENDERER).send(a_letter(kind or LetterKind.VERIFY_EMAIL))


@pytest.mark.parametrize("kind", LetterKind)
async def test_a_letter_arrives_whole_and_once(kind: LetterKind) -> None:
    server = MailServer()
    with running(server) as port:
        await send(port, "none", kind=kind)
    assert server.commands == DELIVERED
    assert server.credentials == []
    message = message_from_bytes(server.contents[-1], policy=policy.default)
    assert message["Subject"] == RENDERER.subject(a_letter(kind))
    parts = {part.get_content_subtype(): part.get_content() for part in message.iter_parts()}
    assert sorted(parts) == ["html", "plain"]
    assert all(SECRETS[kind] in content for content in parts.values())


@pytest.mark.parametrize("security", ["starttls", "opportunistic"])
async def test_starttls_is_used_where_it_is_offered(security: Security, tls: Tls) -> None:
    server = MailServer()
    with running(server, tls_context=tls()) as port:
        await send(port, security)
    assert server.commands == DELIVERED_AFTER_STARTTLS


async def test_tls_from_the_first_byte(tls: Tls) -> None:
    server = MailServer()
    with running(server, ssl_context=tls()) as port:
        await send(port, "tls")
    assert server.commands == DELIVERED


async def test_the_password_is_shown_over_tls(tls: Tls) -> None:
    server = MailServer()
    with running(server, tls_context=tls(), auth_required=True) as port:
        await send(port, "starttls", USER)
    assert server.credentials == [LoginPassword(USER.encode(), PASSWORD.encode())]
    assert server.commands == DELIVERED_AFTER_STARTTLS


async def test_without_a_password_to_protect_a_server_without_starttls_will_do() -> None:
    server = MailServer()
    with running(server) as port:
        await send(port, "opportunistic")
    assert server.commands == DELIVERED


@pytest.mark.parametrize("user", [USER, ""])
async def test_starttls_that_is_not_offered_is_not_done_without(user: str) -> None:
    """M14: starttls that is not offered is not done without."""
    server = MailServer()
    # A server, or somebody between, that would gladly take the password in the clear.
    with running(server, auth_require_tls=False, auth_exclude_mechanism=[]) as port, pytest.raises(NotSent):
        await send(port, "starttls", user)
    assert (server.commands, server.credentials) == ([], [])


WRONG_CERTIFICATES = {"nobody we know signed it": ("localhost", False), "another's": ("mail.example", True)}


@pytest.mark.parametrize("security", ["tls", "starttls", "opportunistic"])
@pytest.mark.parametrize(("name", "trusted"), WRONG_CERTIFICATES.values(), ids=WRONG_CERTIFICATES)
async def test_a_wrong_certificate_is_not_sent(security: Security, name: str, trusted: bool, tls: Tls) -> None:
    """M14: a wrong certificate is not sent."""
    server = MailServer()
    side = "ssl_context" if security == "tls" else "tls_context"
    with running(server, **{side: tls(name, trusted)}) as port, pytest.raises(NotSent):
        await send(port, security)
    assert (server.commands, server.credentials) == ([], [])


GRUDGING = {
    "busy at MAIL": MailServer({"MAIL": "421 too busy"}),
    "busy at RCPT": MailServer({"RCPT": "451 greylisted, try again later"}),
    "busy at DATA": MailServer({"DATA": "452 no room"}),
    "no at MAIL": MailServer({"MAIL": "550 not from you"}),
    "no at RCPT": MailServer({"RCPT": "550 no such mailbox"}),
    "no at DATA": MailServer({"DATA": "554 no, thank you"}),
}


@pytest.mark.parametrize("server", GRUDGING.values(), ids=GRUDGING)
async def test_a_refusal_is_not_sent_and_says_what_the_server_said(server: MailServer) -> None:
    (said,) = server.answers.values()
    with running(server) as port, pytest.raises(NotSent, match=said.partition(" ")[2]) as fault:
        await send(port)
    # A 5yz about the recipient or the letter is final; about the sender, an operator can mend it.
    for_good = said.startswith("5") and "MAIL" not in server.answers
    assert (type(fault.value) is RefusedForGood) == for_good


@pytest.mark.parametrize("answer", [CUT, STALL])
async def test_a_server_that_says_nothing_more_after_the_letter_has_not_taken_it(answer: str) -> None:
    server = MailServer({"DATA": answer})
    with running(server) as port, pytest.raises(NotSent):
        await send(port, timeouts=TIMEOUTS)
    assert server.commands == DELIVERED


@pytest.mark.parametrize("answer", [CUT, STALL, "421 shutting down"])
async def test_once_the_letter_is_taken_nothing_makes_it_untaken(answer: str) -> None:
    server = MailServer({"QUIT": answer})
    with running(server) as port:
        await send(port, timeouts=TIMEOUTS)
    assert server.commands == DELIVERED


@pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT"])
@pytest.mark.parametrize("answer", [CUT, STALL])
async def test_a_server_that_stalls_or_hangs_up_has_not_taken_it(command: str, answer: str) -> None:
    with running(MailServer({command: answer})) as port, pytest.raises(NotSent):
        await send(port, timeouts=TIMEOUTS)


async def test_m12_a_server_is_given_one_sender_one_recipient_and_one_letter() -> None:
    server = MailServer()
    with running(server) as port:
        for name in (
            "Ada\r\nRCPT TO:<x@evil.example>",
            "Ada\r\n.\r\nMAIL FROM:<x@evil.example>",
            "Ada\0Bcc: x@evil.example",
        ):
            server.commands.clear()
            await SmtpMailer(Server(HOST, port, "none"), RENDERER).send(a_letter(name=name))
            assert server.commands == DELIVERED
            assert b"evil" not in server.contents[-1]


async def test_the_answer_comes_back_for_the_log() -> None:
    with running(MailServer({"DATA": "250 queued as 4711"})) as port:
        assert await SmtpMailer(Server(HOST, port, "none"), RENDERER).send(a_letter()) == "queued as 4711"


async def test_a_wrong_password_is_not_sent_and_not_told(tls: Tls) -> None:
    server = MailServer()
    with running(server, tls_context=tls(), auth_required=True) as port, pytest.raises(NotSent) as refusal:
        await send(port, "starttls", "somebody else")
    assert server.commands == []
    assert PASSWORD not in str(refusal.value)


async def test_nobody_there_is_not_sent() -> None:
    with pytest.raises(NotSent):
        await send(free_port())


AUTO: dict[tuple[int, str], Security] = {
    (465, ""): "tls",
    (465, USER): "tls",
    (587, USER): "starttls",
    (25, USER): "starttls",
    (2525, USER): "starttls",
    (587, ""): "opportunistic",
    (25, ""): "opportunistic",
}


@pytest.mark.parametrize(("where", "security"), AUTO.items(), ids=str)
def test_auto_never_lets_a_password_travel_in_the_clear(where: tuple[int, str], security: Security) -> None:
    assert security_for("auto", *where) == security


@pytest.mark.parametrize("choice", ["tls", "starttls", "none"])
def test_a_choice_is_a_choice(choice: Security) -> None:
    assert {security_for(choice, port, user) for port, user in AUTO} == {choice}


def test_a_server_that_is_printed_does_not_show_its_password() -> None:
    assert PASSWORD not in repr(Server(HOST, 25, "none", USER, PASSWORD))
