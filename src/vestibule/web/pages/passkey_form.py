"""The form that the script sends with a passkey: what its page says if the passkey is refused."""

from typing import Any

from starlette.requests import Request

from vestibule.crypto import webauthn
from vestibule.model.errors import EmailNotVerified, Refusal
from vestibule.model.factor_errors import CeremonyOver, PasskeyNeedsPassword, PasskeyRefused, PasskeyUnknown
from vestibule.web.pages.form import form_values, sent_credential
from vestibule.web.pages.words import WRONG_PASSKEYS, Sentence
from vestibule.web.site import site_of

PASSKEY_REFUSALS = (PasskeyUnknown, PasskeyNeedsPassword, PasskeyRefused, CeremonyOver, EmailNotVerified)


def passkey_faults(refusal: Refusal) -> dict[str, Sentence]:
    """Return what is wrong with the passkey, by field. A passkey that is too weak for the account
    (`ReauthenticationRequired`) gets the sentence of `PasskeyRefused`.
    """
    return {"passkey": WRONG_PASSKEYS.get(type(refusal), WRONG_PASSKEYS[PasskeyRefused])}


def refused_passkey(request: Request, refusal: Refusal) -> dict[str, Any]:
    """Return the variables of a page for a refused passkey: `faults`, and, if no account has the passkey, what the
    script tells the password manager, which then no longer offers it (WebAuthn, section 5.1.10.2).
    """
    party = site_of(request).policy.relying_party
    unknown = None
    if isinstance(refusal, PasskeyUnknown) and party is not None:
        credential_id, _ = webauthn.named_in(sent_credential(request, form_values(request)))
        unknown = {"domain": party.domain, "credential_id": credential_id}
    return {"faults": passkey_faults(refusal), "unknown_passkey": unknown}
