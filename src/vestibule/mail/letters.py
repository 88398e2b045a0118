"""Letters as MIME messages: a text part written by hand and an HTML part, from the templates beside this file."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from vestibule.model.letters import Letter, LetterKind

# A sender may lie on a host without a dot; otherwise nothing that could be read in two ways.
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")

SUBJECTS = {
    LetterKind.VERIFY_ADDRESS: "Your account verification code",
    LetterKind.RESET_PASSWORD: "Your password reset token (valid for only 10 minutes)",
}


@dataclass(frozen=True)
class Sender:
    """In whose name letters are written."""

    name: str
    address: str

    @classmethod
    def parse(cls, text: str) -> "Sender":
        """From `Name <address>` or a bare address; raises ValueError."""
        name, address = parseaddr(text)
        written = {address, f"{name} <{address}>", f'"{name}" <{address}>'}
        if _ADDRESS.fullmatch(address) is None or text.strip() not in written:
            raise ValueError(f"{text!r} is not a sender such as: Vestibule <no-reply@example.com>")
        return cls(name or "Vestibule", address)


class Stationery:
    """Turns letters into messages."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._templates = Environment(
            loader=PackageLoader("vestibule.mail"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def write(self, letter: Letter, now: datetime) -> EmailMessage:
        """The message. Its Message-ID is the letter's, so that a repeated attempt can be known as one."""
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(self._sender.name, addr_spec=self._sender.address)
        message["To"] = Address(addr_spec=letter.to)
        message["Subject"] = SUBJECTS[letter.kind]
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{letter.id}@{self._sender.address.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices, please
        words = {"first_name": _first_name(letter.name), "link": letter.link, "sender": self._sender.name}
        message.set_content(self._render(letter.kind, "txt", words))
        message.add_alternative(self._render(letter.kind, "html", words), subtype="html")
        return message

    def _render(self, kind: LetterKind, form: str, words: dict[str, str]) -> str:
        return self._templates.get_template(f"{kind.value}.{form}").render(words)


def _first_name(name: str) -> str:
    """The first word of a name, if it is one: what looks like an address or a link is nobody's first name."""
    first = name.split(maxsplit=1)[0] if name.split() else ""
    return first if first.replace("-", "").replace("'", "").isalpha() else ""
