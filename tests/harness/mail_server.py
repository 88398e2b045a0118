"""A real SMTP server that can be told what to answer, and certificates for it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.harness.servers import free_port
from vestibule.model.clock import SystemClock

HOST = "127.0.0.1"
USER, PASSWORD = "vestibule", "open sesame"
CUT, STALL = "(cut)", "(stall)"


@dataclass
class MailServer:
    """What a mail server saw; `answers` are said in place of its own to the commands they are named after. `CUT` ends
    the connection instead, `STALL` says nothing for as long as the server runs.
    """

    answers: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    credentials: list[LoginPassword] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        await self._answer("EHLO", server)
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, email: str, options: list[str]
    ) -> str:
        self.commands.append(f"MAIL {email}{' after STARTTLS' if session.ssl else ''}")
        envelope.mail_from = email
        return await self._answer("MAIL", server)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, email: str, options: list[str]
    ) -> str:
        self.commands.append(f"RCPT {email}")
        envelope.rcpt_tos.append(email)
        return await self._answer("RCPT", server)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.commands.append("DATA")
        self.contents.append(bytes(envelope.original_content or b""))
        return await self._answer("DATA", server)

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return await self._answer("QUIT", server)

    async def _answer(self, command: str, server: SMTP) -> str:
        answer = self.answers.get(command, "250 OK")
        if answer == CUT:
            server.transport.abort()
        if answer == STALL:
            await asyncio.Event().wait()
        return answer

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, login: Any) -> AuthResult:
        self.credentials.append(login)
        return AuthResult(success=login == LoginPassword(USER.encode(), PASSWORD.encode()), handled=False)


@contextmanager
def running(server: MailServer, port: int = 0, **options: Any) -> Iterator[int]:
    """The port on which the mail server listens."""
    where = {"hostname": HOST, "port": port or free_port()}
    controller = Controller(server, **where, authenticator=server.authenticate, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def certified(name: str) -> tuple[bytes, bytes]:
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
