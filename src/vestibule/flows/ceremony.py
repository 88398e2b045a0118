"""Ceremonies: ask an authenticator a question, and take one answer to it (WebAuthn, sections 7.1 and 7.2).

Nothing is stored when the question is asked, because strangers ask too. The browser keeps the challenge in a cookie,
sealed for what the question is about: a purpose, and the session or the sign-in that it belongs to. The transaction
that acts on an answer spends the question first.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vestibule.crypto import webauthn
from vestibule.crypto.entropy import random_bytes
from vestibule.crypto.relying_party import RelyingParty
from vestibule.crypto.seal import CannotUnseal
from vestibule.flows.env import Env
from vestibule.model.factor_errors import CeremonyOver, PasskeysUnavailable
from vestibule.model.passkeys import Ceremony, CeremonyPurpose
from vestibule.model.store import Ports

LIFETIME = timedelta(seconds=webauthn.CEREMONY_SECONDS)
_CHALLENGE_BYTES = 32  # WebAuthn, section 13.4.3, asks for 16
_END_BYTES = 8  # for the end of the challenge's life, in seconds since 1970


@dataclass(frozen=True)
class Question:
    """What a browser is given: the options for its authenticator, and the sealed text that it keeps in a cookie and
    sends back with the answer.
    """

    options: dict[str, Any]
    kept: str


def relying_party(env: Env) -> RelyingParty:
    """Return for whom passkeys are made here; raises `PasskeysUnavailable` if there are none."""
    if env.policy.relying_party is None:
        raise PasskeysUnavailable
    return env.policy.relying_party


def begin_ceremony(env: Env, purpose: CeremonyPurpose, about: str = "") -> tuple[bytes, str]:
    """Return a new challenge, and the sealed text that contains it. `about` is the session or the sign-in that asks."""
    challenge, ends_at = random_bytes(_CHALLENGE_BYTES), env.clock.now() + LIFETIME
    content = challenge + int(ends_at.timestamp()).to_bytes(_END_BYTES, "big")
    return challenge, env.keys.refresh.cookie_seal.close(content, _name(purpose, about))


def read_ceremony(env: Env, kept: str, purpose: CeremonyPurpose, about: str = "") -> Ceremony:
    """Return the question in a sealed text. Raises `CeremonyOver` if it has expired, was asked for another purpose or
    by another session, or was not sealed by us; and `PasskeysUnavailable`.
    """
    relying_party(env)  # raises if there are no passkeys here
    try:
        content = env.keys.refresh.cookie_seal.open(kept, _name(purpose, about))
    except CannotUnseal:
        raise CeremonyOver from None
    ends_at = datetime.fromtimestamp(int.from_bytes(content[_CHALLENGE_BYTES:], "big"), UTC)
    if env.clock.now() >= ends_at:
        raise CeremonyOver
    return Ceremony(content[:_CHALLENGE_BYTES], ends_at)


async def spend_ceremony(tx: Ports, ceremony: Ceremony) -> None:
    """Note inside the transaction that the question was answered. Raises `CeremonyOver`, which undoes the transaction,
    if it was answered before.
    """
    if not await tx.ceremonies.spend(ceremony):
        raise CeremonyOver


def _name(purpose: CeremonyPurpose, about: str) -> str:
    return f"ceremony:{purpose.value}:{about}"
