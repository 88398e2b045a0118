"""Letters as MIME messages: a text and an HTML part, rendered from the templates beside this file."""

import asyncio
import re
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, cast

from babel.dates import format_date, format_time, format_timedelta
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, Template, TemplateError

from vestibule.model.brand import Brand
from vestibule.model.clock import Clock
from vestibule.model.letters import ADDED_AT, DUE_AT, REMOVED, TOKEN_PURPOSES, Letter, LetterKind, NotSent
from vestibule.model.one_time_tokens import LIFETIMES
from vestibule.process.tracebacks import summarize
from vestibule.translations.catalogues import environment_for

# A host without a dot is allowed. Quotes and comments, which programs parse in different ways, are not.
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")
_MAX_FIRST_NAME = 40
_LOGO_ID = "logo"
_PLAIN_WIDTH = 76
_EMPTY_LINES = re.compile(r"\n{3,}")
# The subjects that the API's contract prescribes (docs/contract-differences.md), always in English.
_CONTRACT_SUBJECTS = {
    LetterKind.VERIFY_EMAIL: "Your account verification code",
    LetterKind.RESET_PASSWORD: "Your password reset token (valid for only {lasts})",
}


@dataclass(frozen=True)
class Sender:
    """The name and email that letters come from."""

    name: str
    email: str

    @classmethod
    def parse(cls, text: str, name: str) -> "Sender":
        """Return the sender that `text` writes as `Name <email>`; if it is a bare email, its name is `name`. Raises
        ValueError for any other text.
        """
        written_name, email = parseaddr(text)
        # parseaddr ignores what it does not understand. So accept only a text that its result can be written as.
        accepted_forms = {email, f"{written_name} <{email}>", f'"{written_name}" <{email}>'}
        if _ADDRESS.fullmatch(email) is None or text.strip() not in accepted_forms or not written_name.isprintable():
            raise ValueError(f"{text!r} is not a sender such as: Vestibule <no-reply@example.com>")
        return cls(written_name or name, email)


class Renderer:
    """Renders letters. Templates in `folder`, if given, replace ours. With `contract_subjects`, the two kinds of
    letters in `_CONTRACT_SUBJECTS` have the subjects given there.
    """

    def __init__(
        self,
        sender: Sender,
        brand: Brand,
        clock: Clock,
        folder: Path | None = None,
        *,
        contract_subjects: bool = False,
    ) -> None:
        self._sender = sender
        self._fixed_subjects = _CONTRACT_SUBJECTS if contract_subjects else {}
        self._clock = clock
        self._brand = brand
        ours = PackageLoader("vestibule.mail")
        self._loader: BaseLoader = ChoiceLoader([FileSystemLoader(folder), ours]) if folder else ours
        self._environments: dict[str, Environment] = {}

    def write(self, letter: Letter) -> EmailMessage:
        """Return the message. The Message-ID has the letter's id, so that a repeated attempt can be recognized.

        Raises `NotSent` for a broken template: the letter then waits until somebody has corrected it.
        """
        try:
            return self._written(letter)
        except TemplateError as fault:
            raise NotSent(f"cannot be written: {type(fault).__name__}: {fault}") from fault
        except ValueError as fault:  # the message of a ValueError may quote the letter
            raise NotSent(f"cannot be written: {summarize(fault)}") from fault

    async def write_in_thread(self, letter: Letter) -> EmailMessage:
        """Return the message, rendered on another thread; raises `NotSent`. On the event loop, rendering would delay
        other requests. As only letters to existing accounts are rendered, that delay would reveal who has an account.
        """
        return await asyncio.to_thread(self.write, letter)

    def _written(self, letter: Letter) -> EmailMessage:
        variables = {**self._variables(letter), "subject": self.subject(letter)}
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(self._sender.name, addr_spec=self._sender.email)
        message["To"] = Address(addr_spec=letter.to)
        message["Subject"] = variables["subject"]
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{letter.id}@{self._sender.email.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic replies
        message.set_content(_wrapped(self._template(letter, "txt").render(variables), letter.link))
        message.add_alternative(self._template(letter, "html").render(variables), subtype="html")
        if self._brand.logo_type:
            self._enclose_logo(message)
        message["Content-Language"] = letter.language  # last: adding parts moves this header into the first part
        return message

    def subject(self, letter: Letter) -> str:
        """Return the subject, on one line: the contract's, or the block `subject` of the text template."""
        if fixed := self._fixed_subjects.get(letter.kind):
            return fixed.format(lasts=_lifetime_in_words(letter, "en"))
        template = self._template(letter, "txt")
        # A block of a Jinja template is a function that yields its text in parts.
        block = template.blocks["subject"](template.new_context(self._variables(letter)))
        return " ".join("".join(block).split())

    def _enclose_logo(self, message: EmailMessage) -> None:
        """Attach the logo, so that a mail program shows it without a request that reveals who opened the letter."""
        html = cast(EmailMessage, message.get_body(("html",)))
        html.add_related(self._brand.logo, "image", self._brand.logo_type, cid=f"<{_LOGO_ID}>", disposition="inline")

    def _template(self, letter: Letter, form: str) -> Template:
        if letter.language not in self._environments:
            self._environments[letter.language] = environment_for(letter.language, self._loader)
        return self._environments[letter.language].get_template(f"{letter.kind.value}.{form}")

    def _variables(self, letter: Letter) -> dict[str, Any]:
        """Return the variables that a template may use."""
        detail = letter.detail
        return {
            "first_name": _first_name(letter.name),
            "link": letter.link,
            "lasts": _lifetime_in_words(letter, letter.language),
            "email": letter.to,
            "at": _moment_of("at", letter),
            "added": _moment_of(ADDED_AT, letter),
            "device": detail.get("device", ""),
            "network_address": detail.get("network_address", ""),
            "why": detail.get("why", ""),
            "factor": detail.get("factor", ""),
            "left": detail.get("left", ""),
            "due": _moment_of(DUE_AT, letter),
            "asked_by": detail.get("asked_by", ""),
            "by": detail.get("by", ""),
            "removed": detail.get(REMOVED, "").split(),
            "code": letter.code,
            "brand": self._brand,
            "logo": f"cid:{_LOGO_ID}" if self._brand.logo_type else "",
        }


def _wrapped(text: str, link: str) -> str:
    """Return the text with long lines wrapped at their own indent, and at most one empty line between paragraphs. A
    line with the link is not wrapped: a mail program could not open half a link.
    """
    text = _EMPTY_LINES.sub("\n\n", text)
    return "".join(line if link and link in line else _wrapped_line(line) for line in text.splitlines(keepends=True))


def _wrapped_line(line: str) -> str:
    if len(line) <= _PLAIN_WIDTH:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    # Words are never cut: one that is longer may be an email, or a link of an operator's template.
    lines = textwrap.wrap(line, _PLAIN_WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def _moment_of(key: str, letter: Letter) -> str:
    """Return the moment that the letter's detail has by this key, in words; empty if it has none."""
    moment = letter.detail.get(key, "")
    return _moment_in_words(datetime.fromisoformat(moment), letter.language) if moment else ""


def _moment_in_words(at: datetime, language: str) -> str:
    """Return date and time in UTC, as the pages show them: November 23, 2026, 10:11 AM UTC."""
    utc = at.astimezone(UTC)
    return f"{format_date(utc, 'long', language)}, {format_time(utc, 'short', locale=language)} UTC"


def _lifetime_in_words(letter: Letter, language: str) -> str:
    """Return how long the link or the code works, in words: 10 minutes, 3 hours. Empty if it does not expire."""
    purpose = TOKEN_PURPOSES.get(letter.kind)
    lifetime = letter.link_lifetime or (LIFETIMES[purpose] if purpose else None)
    return format_timedelta(lifetime, locale=language) if lifetime else ""


def _first_name(name: str) -> str:
    """Return the first word of a name. Return an empty text if that word is too long, or if it has other characters
    than letters, - and ': mail programs turn a text such as example.com into a link.
    """
    first = name.split(maxsplit=1)[0] if name.split() else ""
    is_plain = first.replace("-", "").replace("'", "").isalpha() and len(first) <= _MAX_FIRST_NAME
    return first if is_plain else ""
