"""The second step of `vestibule login`: ask for a code, or set up the second factor that the account must have."""

from collections.abc import Callable, Collection
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import segno

from vestibule.cli.console import fail, notes, show_once
from vestibule.cli.prompt import ask
from vestibule.client import EnrolmentRequiredError, Session, SignedOutError
from vestibule.process import streams
from vestibule.process.operator_errors import OperatorError
from vestibule.protocol.refusals import TYPED_AGAIN

T = TypeVar("T")
_TRIES = 3
_APP, _RECOVERY_CODE = "totp", "recovery_code"
_CODE, _NEW_CODE = "App or recovery code", "Code of the app"
_KEY_BLOCK = 4  # characters


def take_second_step(session: Session, factors: Collection[str]) -> None:
    """Complete the sign-in with a code, which is asked for up to three times; raises as `complete_sign_in` does, and
    `OperatorError` for an account that has passkeys alone.
    """
    if not {_APP, _RECOVERY_CODE} & set(factors):
        raise OperatorError(
            "this account's second factor is a passkey, which a browser uses: sign in there, and make new recovery "
            "codes on the security page; one of them signs you in here"
        )
    _by_code(_CODE, session.complete_sign_in)


def set_up_app(session: Session, asked: EnrolmentRequiredError) -> None:
    """Complete the sign-in by setting up an authenticator app: show its key, ask for one of its codes, and print the
    recovery codes. Raises as `begin_enrolment` and `complete_enrolment` do, and `asked` itself if the server offers no
    authenticator apps.
    """
    streams.require_output()
    if _APP not in asked.factors:
        raise asked
    uri = session.begin_enrolment()
    notes.print("Your account needs a second factor. Add it to your authenticator app:")
    for line in _qr_code(uri):
        notes.print(line, markup=False, highlight=False)
    notes.print(f"Key: {_key_of(uri)}", markup=False, highlight=False)
    codes = _by_code(_NEW_CODE, session.complete_enrolment)
    notes.print("Recovery codes, shown only now; each signs you in once if you lose the app:")
    for code in codes:
        show_once(code, "the app is set up, and you are signed in; make new recovery codes on the security page")


def _by_code(what: str, take: Callable[[str], T]) -> T:
    """Return what `take` returns for a code, which is asked for up to three times."""
    for left in reversed(range(_TRIES)):  # how many tries are left after this one
        try:
            return take(ask(what))
        except SignedOutError as refusal:
            if refusal.code not in TYPED_AGAIN or not left:
                raise
            fail(str(refusal))
    raise AssertionError("the last refusal was raised")


def _qr_code(uri: str) -> list[str]:
    """Return a QR code as lines of text, two rows in each, dark on light whatever the terminal's colours are."""
    rows = [[bool(dark) for dark in row] for row in segno.make_qr(uri).matrix_iter(border=2)]
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    half = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    return ["".join(half[pair] for pair in zip(*two, strict=True)) for two in zip(rows[::2], rows[1::2], strict=True)]


def _key_of(uri: str) -> str:
    """Return the secret of the app in blocks, to type in."""
    key = "".join(parse_qs(urlsplit(uri).query).get("secret", []))
    return " ".join(key[start : start + _KEY_BLOCK] for start in range(0, len(key), _KEY_BLOCK))
