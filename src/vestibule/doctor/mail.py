"""Check the mail server: reachable, with TLS, and accepting the password. Sends no letter."""

from collections.abc import Iterator

import aiosmtplib

from vestibule.mail.smtp import Server, said_by, security_for, words_of
from vestibule.model.findings import Finding, fault, fine, hint, warning
from vestibule.protocol.this_machine import is_this_machine
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings
from vestibule.wiring.mailing import sender

SUBJECT = "mail"
_TIMEOUT_SECONDS = 10
_STRANDED = "Emails wait in the outbox: nobody can verify an email or reset a password."


async def check(settings: Settings) -> list[Finding]:
    """Return findings about sender and mail server."""
    found = [*_sender(settings)]
    if not settings.email_host:
        return [*found, _no_server(settings)]
    return [*found, *sent_in_clear(settings), *await _visit(_server(settings))]


def stranded(settings: Settings) -> Iterator[Finding]:
    """Yield a fault for each setting that keeps every email from its reader; nothing in development."""
    if settings.production:
        yield from _sender(settings)
        if not settings.email_host:
            yield _no_server(settings)


def sent_in_clear(settings: Settings) -> Iterator[Finding]:
    """Yield a finding if the settings turn TLS off, whatever the mail server offers. Does not connect."""
    if settings.email_host and _server(settings).security == "none":
        yield from _in_clear(_server(settings))


def _server(settings: Settings) -> Server:
    security = security_for(settings.email_security, settings.email_port, settings.email_user)
    password = settings.email_pass.get_secret_value()
    return Server(settings.email_host, settings.email_port, security, settings.email_user, password, ehlo=settings.ehlo)


def _no_server(settings: Settings) -> Finding:
    what = f"no EMAIL_HOST: emails are written to files in {settings.data / 'mail'}"
    if settings.production:
        return fault(
            SUBJECT,
            what,
            "Nobody receives them: no email is verified, no password reset, no stranger's sign-in noticed.",
            "EMAIL_HOST=smtp.example.com EMAIL_USER=… EMAIL_PASS=…",
        )
    return fine(SUBJECT, what)


def _sender(settings: Settings) -> Iterator[Finding]:
    try:
        email = sender(settings).email
    except WrongSettings as reason:
        yield fault(SUBJECT, str(reason), "The server does not start.", "VESTIBULE_EMAIL_FROM=no-reply@example.com")
        return
    if settings.production and email.endswith("@localhost"):
        yield fault(
            SUBJECT,
            f"the sender is {email}",
            "Mail servers refuse it, or treat it as spam.",
            "VESTIBULE_EMAIL_FROM=no-reply@… with your domain, for which the mail server may send (SPF, DKIM)",
        )


def _client(server: Server) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        local_hostname=server.ehlo or None,
        use_tls=server.security == "tls",
        # None stands for STARTTLS only if the server offers it.
        start_tls={"starttls": True, "opportunistic": None}.get(server.security, False),
        timeout=_TIMEOUT_SECONDS,
    )


async def _visit(server: Server) -> list[Finding]:
    client = _client(server)
    try:
        async with client:
            encrypted = client.get_transport_info("peercert") is not None  # without TLS there is no certificate
            if server.user:
                await client.login(server.user, server.password)
    except aiosmtplib.SMTPAuthenticationError as reason:
        what = f"{server.host} refuses the password: {said_by(server, words_of(reason))}"
        return [fault(SUBJECT, what, _STRANDED, "check EMAIL_USER and EMAIL_PASS")]
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as reason:
        return [_unreachable(server, reason)]
    found = [fine(SUBJECT, f"{server.host}:{server.port} answers, {'with' if encrypted else 'without'} TLS")]
    return found if encrypted or server.security == "none" else [*found, *_in_clear(server)]


def _unreachable(server: Server, reason: Exception) -> Finding:
    said = words_of(reason)
    remedy = f"check EMAIL_HOST, EMAIL_PORT, and firewalls in between: nc -vz {server.host} {server.port}"
    if any(word in said.lower() for word in ("certificate", "tls")):
        remedy = "EMAIL_HOST as in the server's certificate; VESTIBULE_EMAIL_SECURITY=tls on port 465, starttls on 587"
    return fault(SUBJECT, f"{server.host}:{server.port}: {said_by(server, said)}", _STRANDED, remedy)


def _in_clear(server: Server) -> Iterator[Finding]:
    if is_this_machine(server.host):
        return
    why = "Links that set a password are sent unencrypted."
    remedy = "VESTIBULE_EMAIL_SECURITY=starttls, or tls on port 465"
    if server.user:
        yield warning(SUBJECT, f"the password goes to {server.host} without TLS", why, remedy)
    else:
        yield hint(SUBJECT, f"emails go to {server.host} without TLS", why, remedy)
