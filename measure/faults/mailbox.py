"""A mail server that takes letters or refuses them, as the cell says, and remembers those it took."""

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.harness.servers import free_port

_LINK = re.compile(r"/(verifyemail|resetpassword)/([0-9a-f]{64})")


@dataclass(frozen=True)
class Delivered:
    """One letter that arrived: to whom, when (monotonic), which (Message-ID), what kind and with which secret."""

    to: str
    at: float
    message_id: str
    kind: str
    secret: str


@dataclass
class Mailbox:
    """Every letter that arrived. `answers` has the SMTP answers to give instead of 250, by recipient; `cut` the
    Message-ID of each letter that was taken, and whose connection was cut before the answer; `attempts` each recipient,
    with the time.
    """

    port: int = field(default_factory=free_port)
    delivered: list[Delivered] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    answer_to_all: str = ""
    cut_before_answer: bool = False
    cut: list[str] = field(default_factory=list)
    attempts: list[tuple[float, str]] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self), "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, email: str, options: list[str]
    ) -> str:
        self.attempts.append((time.monotonic(), email))
        answer = self.answers.get(email) or self.answer_to_all
        if answer:
            return answer
        envelope.rcpt_tos.append(email)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = message_from_bytes(bytes(envelope.original_content or b""), policy=policy.default)
        body = message.get_body(("plain",))
        found = _LINK.search(body.get_content() if body else "")
        kind, secret = found.groups() if found else ("other", "")
        to = envelope.rcpt_tos[0]
        self.delivered.append(Delivered(to, time.monotonic(), str(message["Message-ID"]), kind, secret))
        if self.cut_before_answer and server.transport is not None:
            self.cut.append(str(message["Message-ID"]))
            server.transport.abort()
        return "250 OK"

    def secrets(self, to: str, kind: str, since: float) -> list[str]:
        """Return the secrets in the links of a kind of letter that reached `to` from `since` on, oldest first."""
        return [m.secret for m in self.delivered if m.to == to and m.kind == kind and m.at >= since]

    def copies(self) -> int:
        """Return how many letters arrived a second time or more often, by Message-ID."""
        return sum(count - 1 for count in Counter(m.message_id for m in self.delivered).values())
