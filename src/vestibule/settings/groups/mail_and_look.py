"""Settings about the mail that is sent, and about how emails and pages look."""

from typing import ClassVar, Literal

from pydantic import SecretStr

from vestibule.model.languages import Language
from vestibule.settings.addresses import EhloName, MailHost, Support
from vestibule.settings.groups.group import Group, setting
from vestibule.settings.types import Colour, Folder, Logo, OneLine, Whole


class Mail(Group):
    """Read this when you want the server to send real email."""

    title: ClassVar[str] = "Send mail"

    email_host: MailHost = setting(
        "EMAIL_HOST",
        "",
        "SMTP server that sends your emails.",
        takes="a host name, such as `smtp.example.com`",
        unset="emails go to a folder in VESTIBULE_DATA, and in development to the log",
    )
    email_port: Whole = setting("EMAIL_PORT", 587, "Port of the SMTP server.", ge=1, le=65535)
    email_user: OneLine = setting(
        "EMAIL_USER", "", "User name at the SMTP server.", takes="text on one line", unset="no authentication"
    )
    email_pass: SecretStr = setting(
        "EMAIL_PASS", SecretStr(""), "Password at the SMTP server.", takes="any text", unset="no password"
    )
    email_security: Literal["auto", "tls", "starttls", "none"] = setting(
        "VESTIBULE_EMAIL_SECURITY",
        "auto",
        "`tls` from the first byte, `starttls`, or `none`. `auto`: `tls` on port 465, otherwise `starttls`, which is "
        "optional only if there is no EMAIL_USER.",
    )
    email_from: str = setting(
        "VESTIBULE_EMAIL_FROM",
        "no-reply@localhost",
        "Sender of every email; without a name, the product's name is used.",
        takes="an email, or `Name <email>`",
    )
    email_ehlo: EhloName = setting(
        "VESTIBULE_EMAIL_EHLO",
        "",
        "Name by which Vestibule greets the mail server (EHLO). Strict servers refuse `localhost`.",
        takes="a host name, such as `auth.example.com`",
        unset="the host of VESTIBULE_URL, or else this machine's name",
    )
    email_subjects: Literal["clear", "contract"] = setting(
        "VESTIBULE_EMAIL_SUBJECTS",
        "clear",
        "`clear`: subjects name your product and say what the email is about. `contract`: verification and reset "
        "emails have the tutorial's English subjects, for programs that look for them.",
    )


class Look(Group):
    """Read this when you want pages and emails to look like your product's."""

    title: ClassVar[str] = "Make it look like yours"

    product_name: OneLine = setting(
        "VESTIBULE_PRODUCT_NAME", "Vestibule", "Name of your product.", takes="text on one line"
    )
    product_colour: Colour = setting(
        "VESTIBULE_PRODUCT_COLOUR", "#2b4acb", "Colour of buttons.", takes="a colour as `#rrggbb`"
    )
    product_logo: Logo = setting(
        "VESTIBULE_PRODUCT_LOGO",
        None,
        "Logo of your product, shown 36 pixels high and sent with emails.",
        takes="a PNG, JPEG or GIF file of at most 100 kB",
        unset="the name alone",
    )
    support: Support = setting(
        "VESTIBULE_SUPPORT",
        "",
        "Where people get help when they cannot help themselves, such as after losing every second factor. Pages and "
        "emails show it.",
        takes="an email, or a URL such as `https://example.com/help`",
        unset="pages and emails name nobody",
    )
    templates: Folder = setting(
        "VESTIBULE_TEMPLATES",
        None,
        "Folder with your own templates in `mail/` and `pages/`. Vestibule's are used for the others.",
        takes="an existing folder",
        unset="Vestibule's own",
    )
    language: Language = setting(
        "VESTIBULE_LANGUAGE", "en", "Language to use if neither account nor browser names one."
    )
