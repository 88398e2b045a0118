"""`model.letters.Mailer` over SMTP (RFC 5321), with TLS that is never given up once asked for."""

import asyncio
import base64
import json
import re
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal
from urllib.parse import quote

import aiosmtplib

from vestibule.mail.letters import Renderer
from vestibule.model.letters import Letter, NotSent, RefusedForGood
from vestibule.protocol.one_line import one_line

_MOST_SAID = 500
# Base64, hexadecimal, percents, and the encoded words of a header (RFC 2047, section 2).
_MEANINGLESS = re.compile(r"=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=|[A-Za-z0-9+/=_%-]{32,}")
Security = Literal["tls", "starttls", "opportunistic", "none"]


@dataclass(frozen=True)
class Server:
    """Where letters are handed over. With `opportunistic`, STARTTLS is used where it is offered. No answer within
    `timeout_seconds` is taken for none. `ehlo` is how it is greeted; empty: by this machine's name.
    """

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = 10
    ehlo: str = ""


def security_for(choice: Literal["auto", "tls", "starttls", "none"], port: int, user: str) -> Security:
    """What `auto` means: TLS on its own port, else STARTTLS, optional only where no password would travel."""
    if choice != "auto":
        return choice
    if port == 465:
        return "tls"
    return "starttls" if user else "opportunistic"


class SmtpMailer:
    """Hands letters to a mail server, each over a connection of its own."""

    def __init__(self, server: Server, renderer: Renderer) -> None:
        self._server = server
        self._renderer = renderer
        self._tls = ssl.create_default_context()  # once, for reading the authorities of the machine takes a while

    async def send(self, letter: Letter) -> str:
        message = await self._renderer.write_aside(letter)
        client = self._client()
        try:
            async with client:
                _, answer = await _sent(client, message)
        except aiosmtplib.SMTPRecipientsRefused as fault:
            (refusal,) = fault.recipients  # a letter has one
            raise _kind(refusal.code)(self._said(refusal, letter)) from None
        except aiosmtplib.SMTPDataError as fault:
            raise _kind(fault.code)(self._said(fault, letter)) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as fault:
            raise NotSent(self._said(fault, letter)) from None
        return said_by(self._server, answer, letter)

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            local_hostname=server.ehlo or None,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.security == "tls",
            start_tls={"starttls": True, "opportunistic": None}.get(server.security, False),
            tls_context=self._tls,
            timeout=server.timeout_seconds,
        )

    def _said(self, fault: Exception, letter: Letter) -> str:
        """What the server answered, without what it repeats of the letter and of our own credentials."""
        return said_by(self._server, f"{type(fault).__name__}: {fault}", letter)


async def _sent(client: aiosmtplib.SMTP, message: EmailMessage) -> tuple[object, str]:
    try:
        return await client.send_message(message)
    except asyncio.CancelledError:
        client.close()  # else it would say QUIT, and wait for the answer as long as for any other
        raise


def said_by(server: Server, words: str, letter: Letter | None = None) -> str:
    """A server's words without what it repeats: its password, and what was in a letter, in whatever encoding that
    travelled. Nobody misses the long words without meaning that go with them.
    """
    user, password = server.user, server.password
    secrets = [password, *map(_base64, (password, f"\0{user}\0{password}"))] if password else []
    if letter is not None:
        secrets += [letter.link, letter.link.rpartition("/")[2], letter.name]
        words = words.replace(letter.to, f"{letter.to[0]}***@{letter.to.rpartition('@')[2]}") if letter.to else words
    for secret in filter(None, secrets):
        for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
            words = words.replace(form, "…")
    return one_line(_MEANINGLESS.sub("…", words)[:_MOST_SAID])


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _kind(code: int) -> type[NotSent]:
    """A reply of 5yz to the recipient or to the letter is about this letter alone, and final. Elsewhere, where it is
    about the sender or the connection, the next letter would fare alike, and an operator can mend it.
    """
    return RefusedForGood if 500 <= code <= 599 else NotSent
