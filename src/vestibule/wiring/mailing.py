"""Turn settings into what writes and sends letters, and into the product's look, which pages share with letters."""

from pathlib import Path

from vestibule.mail.folder import FolderMailer
from vestibule.mail.letters import Renderer, Sender
from vestibule.mail.smtp import Server, SmtpMailer, security_for
from vestibule.model.brand import Brand
from vestibule.model.clock import Clock
from vestibule.model.letters import Mailer
from vestibule.protocol.files import read_bounded
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings
from vestibule.settings.types import MAX_LOGO_BYTES


def mailer(settings: Settings, clock: Clock) -> Mailer:
    """Return the mailer: SMTP, or a folder if no mail server is set. Raises `WrongSettings` for a wrong sender; for a
    logo, what `brand` raises.
    """
    letters = renderer(settings, clock)
    if not settings.email_host:
        return FolderMailer(settings.data / "mail", letters, clock, log_links=not settings.production)
    security = security_for(settings.email_security, settings.email_port, settings.email_user)
    password = settings.email_pass.get_secret_value()
    server = Server(
        settings.email_host, settings.email_port, security, settings.email_user, password, ehlo=settings.ehlo
    )
    return SmtpMailer(server, letters)


def renderer(settings: Settings, clock: Clock) -> Renderer:
    """Return the renderer of letters, with the contract's English subjects if VESTIBULE_EMAIL_SUBJECTS is `contract`.
    Raises what `sender` and `brand` raise.
    """
    folder, by_contract = templates(settings, "mail"), settings.email_subjects == "contract"
    return Renderer(sender(settings), brand(settings), clock, folder, contract_subjects=by_contract)


def sender(settings: Settings) -> Sender:
    """Return the sender of letters; raises `WrongSettings`."""
    try:
        return Sender.parse(settings.email_from, settings.product_name)
    except ValueError as fault:
        raise WrongSettings(f"VESTIBULE_EMAIL_FROM: {fault}") from None


def brand(settings: Settings) -> Brand:
    """Return the product's name, colour, logo and support; raises `OSError` and `ValueError` for a logo that cannot be
    read, or is larger than `MAX_LOGO_BYTES`.
    """
    logo = read_bounded(settings.product_logo, MAX_LOGO_BYTES) if settings.product_logo else b""
    return Brand(settings.product_name, settings.product_colour, logo, settings.support)


def templates(settings: Settings, subfolder: str) -> Path | None:
    """Return the operator's own templates in the subfolder `mail` or `pages`; None without VESTIBULE_TEMPLATES."""
    return settings.templates / subfolder if settings.templates else None
