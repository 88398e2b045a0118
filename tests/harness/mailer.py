"""Render letters as they would be sent, and keep them."""

from email.message import EmailMessage

from vestibule.mail.letters import Renderer, Sender
from vestibule.model.brand import Brand
from vestibule.model.clock import Clock
from vestibule.model.letters import Letter, LetterKind

BRAND = Brand("Vestibule")


class CatchingMailer:
    """A `model.letters.Mailer` that keeps letters in a list instead of sending them."""

    def __init__(self, clock: Clock) -> None:
        self.renderer = Renderer(Sender("Vestibule", "no-reply@vestibule.example"), BRAND, clock)
        self.letters: list[Letter] = []
        self.messages: list[EmailMessage] = []

    async def send(self, letter: Letter) -> str:
        self.messages.append(self.renderer.write(letter))
        self.letters.append(letter)
        return "caught"

    def secret(self, kind: LetterKind) -> str:
        """Return the secret in the link of the newest letter of a kind."""
        return next(letter for letter in reversed(self.letters) if letter.kind is kind).link.rpartition("/")[2]
