"""Run a real SMTP server that gives the answers a test wants, and make certificates for it."""

import asyncio
import selectors
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

from tests.harness.servers import WAIT_SECONDS, free_port
from vestibule.model.clock import SystemClock

HOST = "127.0.0.1"
USER, PASSWORD = "vestibule", "open sesame"
CUT, STALL = "(cut)", "(stall)"


@dataclass
class MailServer:
    """What a mail server received. `answers` has the answers to give instead of 250, by SMTP command: `CUT` ends the
    connection, `STALL` never answers.
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


class _Controller(Controller):
    """Runs a mail server in a thread, and ends its connections before the thread ends.

    aiosmtpd stops its loop in the middle of a goodbye. A TLS connection takes three turns of the loop to close, so its
    socket was left to the garbage collector, which warned of it in some later test.
    """

    def __init__(self, server: MailServer, **options: Any) -> None:
        self._selector = selectors.DefaultSelector()
        self._connections: list[SMTP] = []
        super().__init__(server, loop=asyncio.SelectorEventLoop(self._selector), **options)

    def factory(self) -> SMTP:
        self._connections.append(super().factory())
        return self._connections[-1]

    def stop(self, no_assert: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(self._end_connections(), self.loop).result(WAIT_SECONDS)
        super().stop(no_assert)

    async def _end_connections(self) -> None:
        assert self.server is not None
        self.server.close()
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport.abort()
        while len(self._selector.get_map()) > 1:  # noqa: ASYNC110  # one is the loop's own, by which threads wake it
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # what the loop no longer listens to is closed in its next turn


@contextmanager
def running(server: MailServer, port: int = 0, **options: Any) -> Iterator[int]:
    """Run the mail server during the block, and yield the port on which it listens."""
    where = {"hostname": HOST, "port": port or free_port()}
    controller = _Controller(server, **where, authenticator=server.authenticate, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def certified(name: str, *, begins: timedelta = timedelta(days=-1)) -> tuple[bytes, bytes]:
    """Return a self-signed certificate for this name, and for `HOST` too if it is `localhost`, and its key, both as
    PEM. It is valid for two days, which begin `begins` from now.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        names.append(x509.IPAddress(IPv4Address(HOST)))
    since = SystemClock().now() + begins
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), private
