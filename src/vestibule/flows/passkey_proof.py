"""Passkey proof: check what an authenticator signed, and note inside a transaction that its passkey was used."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from vestibule.crypto import webauthn
from vestibule.crypto.entropy import new_id
from vestibule.crypto.webauthn import Answer, Assertion, NotVerified
from vestibule.flows.ceremony import relying_party, spend_ceremony
from vestibule.flows.env import Env
from vestibule.flows.know_device import circumstances
from vestibule.flows.tell_owner import ONE_A_DAY, tell_owner
from vestibule.model.client_info import ClientInfo
from vestibule.model.events import Event, EventKind
from vestibule.model.factor_errors import PasskeyNeedsPassword, PasskeyRefused, PasskeyUnknown
from vestibule.model.letters import ADDED_AT, LetterKind, QueuedLetter
from vestibule.model.passkeys import Ceremony, Passkey
from vestibule.model.store import Ports
from vestibule.protocol.one_line import one_line

_log = structlog.get_logger(__name__)
_MOST_CHARACTERS_LOGGED = 200


@dataclass(frozen=True)
class PasskeyProof:
    """A question, the passkey that signed the answer to it, and what it signed. Spend the proof with `use_passkey`."""

    ceremony: Ceremony
    passkey: Passkey
    assertion: Assertion

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the authentication methods that the answer proves (RFC 8176)."""
        return self.passkey.methods(user_verified=self.assertion.user_verified)


async def check_passkey(
    env: Env, ceremony: Ceremony, answer: Answer, *, verify_user: bool, account_id: str | None = None
) -> PasskeyProof:
    """Return the proof in an answer. With `account_id`, only a passkey of that account is accepted; without it, the
    answer must name its account, as discoverable credentials do.

    Raises `PasskeyUnknown` if no passkey here has that credential, `PasskeyRefused` if anything else is wrong with the
    answer, and `PasskeysUnavailable`. `verify_user`: the authenticator must have verified its user.
    """
    party = relying_party(env)
    try:
        credential_id, user_handle = webauthn.named_in(answer)
        async with env.store.reading() as read:
            passkey = await read.passkeys.with_credential(credential_id)
        if passkey is None:
            raise PasskeyUnknown
        _require_owner(passkey, user_handle, account_id)
        assertion = webauthn.check_assertion(
            party,
            ceremony.challenge,
            answer,
            passkey.public_key,
            backup_eligible=passkey.backup_eligible,
            verify_user=verify_user,
        )
    except NotVerified as why:
        log_refused(why)
        raise PasskeyRefused from None
    return PasskeyProof(ceremony, passkey, assertion)


async def use_passkey(
    tx: Ports, proof: PasskeyProof, client_info: ClientInfo, now: datetime, *, alone: bool = True
) -> bool:
    """Note inside the transaction that the passkey was used. Call it after the account was locked. `alone`: neither a
    password nor a session was proved.

    Raises `CeremonyOver` if the question was answered before, `PasskeyUnknown` if the passkey was removed meanwhile,
    and `PasskeyNeedsPassword` if it may not be used alone; all undo the transaction. If the passkey's signature counter
    did not grow, there may be a copy of it. That is recorded, and told to the owner once a day, but not refused: synced
    passkeys may count like that (WebAuthn, section 6.1.1). Return whether there may be a copy; if so, wake the mail
    worker after the commit.
    """
    await spend_ceremony(tx, proof.ceremony)
    signed, passkey = proof.assertion, proof.passkey
    used = await tx.passkeys.use(passkey.id, signed.sign_count, now, backed_up=signed.backed_up, alone=alone)
    if used is None:
        is_stored = await tx.passkeys.with_credential(passkey.credential_id) is not None
        raise PasskeyNeedsPassword if is_stored else PasskeyUnknown
    if not used.counted_on:
        await _tell_of_copy(tx, passkey, client_info, now)
    return not used.counted_on


async def _tell_of_copy(tx: Ports, passkey: Passkey, client_info: ClientInfo, now: datetime) -> None:
    """Record the event, and queue a letter. The letter names the passkey by the day on which it was added: a thief may
    have chosen its name.
    """
    kind, account_id = LetterKind.PASSKEY_MAY_BE_COPIED, passkey.account_id
    if await tx.rate_counters.take(ONE_A_DAY, f"{kind.value}:{passkey.id}", now):
        told = {**circumstances(client_info, now), ADDED_AT: passkey.created_at.isoformat(timespec="seconds")}
        await tell_owner(tx, QueuedLetter(new_id(), kind, now, account_id, language=client_info.language, detail=told))
    address, detail = client_info.network_address, {"passkey": passkey.id}
    event = EventKind.PASSKEY_MAY_BE_COPIED
    await tx.events.record(Event(now, event, account_id, network_address=address, detail=detail))


def log_refused(why: NotVerified) -> None:
    """Log why an answer was refused, for operators: browsers are not told."""
    _log.info("passkey_refused", why=one_line(str(why))[:_MOST_CHARACTERS_LOGGED])


def _require_owner(passkey: Passkey, user_handle: str | None, account_id: str | None) -> None:
    """Raise `NotVerified` unless the passkey belongs to the account, and the answer names no other account (WebAuthn,
    section 7.2, step 6).
    """
    if account_id is None and user_handle is None:
        raise NotVerified("it names no account")
    if passkey.account_id != (account_id or user_handle) or user_handle not in {None, passkey.account_id}:
        raise NotVerified("it is a passkey of another account")
