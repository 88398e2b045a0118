"""The form that the script sends with a passkey: what its page says if the passkey is refused."""

from vestibule.model.errors import EmailNotVerified, Refusal
from vestibule.model.factor_errors import CeremonyOver, PasskeyRefused, PasskeyUnknown
from vestibule.web.pages.words import WRONG_PASSKEYS, Sentence

PASSKEY_REFUSALS = (PasskeyUnknown, PasskeyRefused, CeremonyOver, EmailNotVerified)


def passkey_faults(refusal: Refusal) -> dict[str, Sentence]:
    """Return what is wrong with the passkey; one that is not enough for the account could not be accepted."""
    return {"passkey": WRONG_PASSKEYS.get(type(refusal), WRONG_PASSKEYS[PasskeyRefused])}
