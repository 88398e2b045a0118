"""Letters handed over to real SMTP servers: good ones, grudging ones, and ones that a password must not reach."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.harness.servers import free_port
from tests.mail import LINKS, STATIONERY, a_letter
from vestibule.mail.smtp import Security, Server, SmtpPost, security_for
from vestibule.model.clock import SystemClock
from vestibule.model.letters import LetterKind, NotSent, RefusedForGood

HOST = "127.0.0.1"
USER, PASSWORD = "vestibule", "open sesame"
DELIVERED = ["MAIL no-reply@vestibule.example", "RCPT ada@example.com", "DATA"]
DELIVERED_AFTER_STARTTLS = ["MAIL no-reply@vestibule.example after STARTTLS", *DELIVERED[1:]]
Tls = Callable[..., ssl.SSLContext]


@dataclass
class MailServer:
    """What a mail server saw; `answers` are said in place of its own to the commands they are named after."""

    answers: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    commands: list[str] = field(default_factory=list)
    credentials: list[LoginPassword] = field(default_factory=list)
    content: bytes = b""

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append(f"MAIL {address}{' after STARTTLS' if session.ssl else ''}")
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append(f"RCPT {address}")
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.commands.append("DATA")
        self.content = bytes(envelope.original_content or b"")
        if self.hangs_up:
            server.transport.abort()
        return self.answers.get("DATA", "250 OK")

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, login: Any) -> AuthResult:
        self.credentials.append(login)
        return AuthResult(success=login == LoginPassword(USER.encode(), PASSWORD.encode()), handled=False)


@contextmanager
def running(server: MailServer, **options: Any) -> Iterator[int]:
    """The port on which the mail server listens."""
    controller = Controller(server, hostname=HOST, port=free_port(), authenticator=server.authenticate, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _certified(name: str) -> tuple[bytes, bytes]:
    """A certificate for this name and for `HOST` if it is ours, with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        names.append(x509.IPAddress(IPv4Address(HOST)))
    now = SystemClock().now()
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), private


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tls:
    """A server's side of TLS; `trusted` puts its certificate where this machine looks for authorities."""

    def context(name: str = "localhost", trusted: bool = True) -> ssl.SSLContext:
        certificate, key = _certified(name)
        file = tmp_path / "certificate.pem"
        file.write_bytes(certificate + key)
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made.load_cert_chain(file)
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(file))
        return made

    return context


async def send(port: int, security: Security = "none", user: str = "", kind: LetterKind | None = None) -> None:
    server = Server(HOST, port, security, user, PASSWORD if user else "")
    await SmtpPost(server, STATIONERY).send(a_letter(kind or LetterKind.VERIFY_ADDRESS))


@pytest.mark.parametrize("kind", LetterKind)
async def test_a_letter_arrives_whole_and_once(kind: LetterKind) -> None:
    server = MailServer()
    with running(server) as port:
        await send(port, "none", kind=kind)
    assert server.commands == DELIVERED
    assert server.credentials == []
    message = message_from_bytes(server.content, policy=policy.default)
    assert message["Subject"] == STATIONERY.subject(a_letter(kind))
    parts = {part.get_content_subtype(): part.get_content() for part in message.iter_parts()}
    assert sorted(parts) == ["html", "plain"]
    assert all(LINKS[kind] in content for content in parts.values())


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


async def test_a_server_that_hangs_up_after_the_letter_has_not_taken_it() -> None:
    server = MailServer(hangs_up=True)
    with running(server) as port, pytest.raises(NotSent):
        await send(port)
    assert server.commands[-1] == "DATA"


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
