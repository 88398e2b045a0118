"""A mailer over SMTP (RFC 5321). Sends nothing without TLS if the settings require TLS."""

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
from vestibule.process.system_faults import reason
from vestibule.protocol.one_line import one_line

_MAX_SAID_CHARACTERS = 500
# Base64, hexadecimal, percent-encoding, and the encoded words of a header (RFC 2047, section 2).
_ENCODED = re.compile(r"=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=|[A-Za-z0-9+/=_%-]{32,}")
Security = Literal["tls", "starttls", "opportunistic", "none"]


@dataclass(frozen=True)
class Server:
    """The mail server. With `opportunistic`, STARTTLS is used if offered. `ehlo` is the name sent in EHLO; empty: this
    machine's name.
    """

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = 10
    ehlo: str = ""


def security_for(choice: Literal["auto", "tls", "starttls", "none"], port: int, user: str) -> Security:
    """Return `choice`; for `auto`, TLS on port 465, else STARTTLS, which is optional only if no password is sent."""
    if choice != "auto":
        return choice
    if port == 465:
        return "tls"
    return "starttls" if user else "opportunistic"


class SmtpMailer:
    """Sends letters to a mail server, each over its own connection."""

    def __init__(self, server: Server, renderer: Renderer) -> None:
        self._server = server
        self._renderer = renderer
        self._tls = ssl.create_default_context()  # once: loading the machine's CA certificates is slow

    async def send(self, letter: Letter) -> str:
        """Send the letter; return the server's answer. Raises `RefusedForGood` for a final refusal, else `NotSent`."""
        message = await self._renderer.write_in_thread(letter)
        client = self._client()
        try:
            async with client:
                _, answer = await _send(client, message)
        except aiosmtplib.SMTPRecipientsRefused as fault:
            (refusal,) = fault.recipients  # a letter has one recipient
            raise _error_for(refusal.code)(self._said(refusal, letter)) from None
        except aiosmtplib.SMTPDataError as fault:
            raise _error_for(fault.code)(self._said(fault, letter)) from None
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
            # None stands for STARTTLS only if the server offers it.
            start_tls={"starttls": True, "opportunistic": None}.get(server.security, False),
            tls_context=self._tls,
            timeout=server.timeout_seconds,
        )

    def _said(self, fault: Exception, letter: Letter) -> str:
        """Return the server's words about the fault, without secrets (`said_by`)."""
        return said_by(self._server, words_of(fault), letter)


async def _send(client: aiosmtplib.SMTP, message: EmailMessage) -> tuple[object, str]:
    try:
        return await client.send_message(message)
    except asyncio.CancelledError:
        client.close()  # otherwise the client would send QUIT, and wait for the answer
        raise


def words_of(fault: Exception) -> str:
    """Return the server's reply with its code, or why the server was not reached or heard."""
    if isinstance(fault, aiosmtplib.SMTPResponseException):
        return f"{fault.code} {fault.message}"
    return reason(fault) or str(fault)


def said_by(server: Server, words: str, letter: Letter | None = None) -> str:
    """Return a server's words, on one line of at most 500 characters, without what they repeat of our password, of the
    letter's link and code and of the recipient's name, in any usual encoding. Mask the recipient's email, and remove
    long words that may be encoded secrets.
    """
    secrets = []
    if server.password:
        plain = f"\0{server.user}\0{server.password}"  # as AUTH PLAIN sends it (RFC 4616)
        secrets += [server.password, _base64(server.password), _base64(plain)]
    if letter is not None:
        # The last part of a link is its token. A code may be repeated without its hyphens.
        secrets += [letter.link, letter.link.rpartition("/")[2], letter.code, letter.code.replace("-", ""), letter.name]
        if letter.to:
            words = words.replace(letter.to, f"{letter.to[0]}***@{letter.to.rpartition('@')[2]}")
    for secret in filter(None, secrets):  # as it is, percent-encoded, and as JSON writes it
        for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
            words = words.replace(form, "…")
    return one_line(_ENCODED.sub("…", words)[:_MAX_SAID_CHARACTERS])


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _error_for(code: int) -> type[NotSent]:
    """Return `RefusedForGood` for a 5yz reply to the recipient or the content: it is final, and about this letter only.
    Other replies are about the sender or the connection: the next letter would get the same one, until an operator
    helps.
    """
    return RefusedForGood if 500 <= code <= 599 else NotSent
