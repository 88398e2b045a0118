"""How letters look, and how they leave: to real SMTP servers, and into a folder."""

from tests.harness.clock import ManualClock
from vestibule.mail.letters import Sender, Stationery
from vestibule.model.letters import Letter, LetterKind

NOW = ManualClock().now()
STATIONERY = Stationery(Sender("Vestibule", "no-reply@vestibule.example"))
LINKS = {
    LetterKind.VERIFY_ADDRESS: "http://localhost:3000/verifyemail/" + 64 * "a",
    LetterKind.RESET_PASSWORD: "http://localhost:3000/resetpassword/" + 64 * "b",
}


def a_letter(kind: LetterKind = LetterKind.VERIFY_ADDRESS, name: str = "Ada Lovelace") -> Letter:
    """A letter to Ada."""
    return Letter("0a1b2c3d-0000-4000-8000-000000000000", kind, "ada@example.com", name, LINKS[kind])
