"""How letters look, and how they leave: to real SMTP servers, and into a folder."""

from tests.harness.clock import ManualClock
from tests.harness.mailer import BRAND
from vestibule.mail.letters import Renderer, Sender
from vestibule.model.letters import Letter, LetterKind

NOW = ManualClock().now()
SENDER = Sender("Vestibule", "no-reply@vestibule.example")
RENDERER = Renderer(SENDER, BRAND, ManualClock())
CODES = {LetterKind.SIGN_IN_CODE: "k7d2-9fxm"}
LINKS = {kind: f"http://localhost:3000/{kind.value}/" + 64 * "a" for kind in LetterKind if kind not in CODES}
SECRETS = {**LINKS, **CODES}
DETAIL = {"at": "2026-11-23T10:11:12+00:00", "device": "Firefox, Windows", "network_address": "192.0.2.7"}
DETAIL["due_at"] = "2026-11-24T10:11:12+00:00"


def a_letter(kind: LetterKind = LetterKind.VERIFY_EMAIL, name: str = "Ada Lovelace", language: str = "en") -> Letter:
    """A letter to Ada."""
    letter_id = "0a1b2c3d-0000-4000-8000-000000000000"
    link, code = LINKS.get(kind, ""), CODES.get(kind, "")
    return Letter(letter_id, kind, "ada@example.com", name, link, language, DETAIL, code=code)
