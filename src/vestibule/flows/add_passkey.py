"""Add a passkey: ask an authenticator to make one for the caller's account, and store it."""

from dataclasses import dataclass
from datetime import datetime

from vestibule.crypto import webauthn
from vestibule.crypto.entropy import new_id
from vestibule.crypto.webauthn import Answer, CredentialName, NewCredential, NotVerified
from vestibule.flows.add_factor import Added, NewCodes, codes_for_first, codes_to_store, note_added
from vestibule.flows.announce import announce
from vestibule.flows.ceremony import Question, begin_ceremony, read_ceremony, relying_party, spend_ceremony
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.passkey_proof import log_refused
from vestibule.flows.reauthenticate import lock_recent, require_recent_sign_in
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.authenticators import authenticator_name
from vestibule.model.client_info import ClientInfo
from vestibule.model.factor_errors import PasskeyRefused, PasskeyTaken, TooManyPasskeys
from vestibule.model.factors import FactorKind
from vestibule.model.passkeys import MOST_PASSKEYS, Ceremony, CeremonyPurpose, Passkey
from vestibule.model.store import Ports


@dataclass(frozen=True)
class NewPasskey:
    """A new credential with the question that it answers. `name` is empty if its owner gave it none."""

    ceremony: Ceremony
    credential: NewCredential
    name: str

    def of(self, account_id: str, domain: str, now: datetime) -> Passkey:
        """Return the credential as a passkey of an account, created `now`. Without a name, it gets that of its
        authenticator.
        """
        made = self.credential
        name = self.name or authenticator_name(made.aaguid, made.transports)
        # The fields of `NewCredential` are fields of `Passkey` by the same names.
        return Passkey(new_id(), account_id, domain, name=name, created_at=now, **vars(made))


async def ask_to_add_passkey(env: Env, caller: Caller) -> Question:
    """Return the question that makes a passkey for the caller, and excludes authenticators that have one already.

    Raises `TooManyPasskeys`, `PasskeysUnavailable`, `ReauthenticationRequired` and `SessionOver`.
    """
    party, account = relying_party(env), caller.account
    async with env.store.reading() as read:
        await require_recent_sign_in(env, read, caller, env.clock.now())
        known = await read.passkeys.of_account(account.id)
    if len(known) >= MOST_PASSKEYS:
        raise TooManyPasskeys
    challenge, kept = begin_ceremony(env, CeremonyPurpose.ADD, caller.session_id)
    names = [CredentialName(passkey.credential_id, passkey.transports) for passkey in known]
    return Question(webauthn.creation_options(party, challenge, account.id, account.email, names), kept)


async def add_passkey(
    env: Env, caller: Caller, answer: Answer, kept: str, name: str, client_info: ClientInfo, *, end_others: bool
) -> tuple[Passkey, Added]:
    """Add the passkey that the authenticator has made; return it with what came with it. `kept` is the sealed text of
    the `Question`. `end_others`: end the caller's other sessions too.

    Raises `CeremonyOver`, `PasskeyRefused`, `PasskeyTaken`, `TooManyPasskeys`, `PasskeysUnavailable`, `Overloaded`,
    `TooManyRequests` after a day's new factors or sets of recovery codes, `ReauthenticationRequired` and `SessionOver`.
    """
    new = checked_passkey(env, read_ceremony(env, kept, CeremonyPurpose.ADD, caller.session_id), answer, name)
    async with env.store.reading() as read:  # refuse before recovery codes are hashed, which is slow
        await require_recent_sign_in(env, read, caller, env.clock.now())
    codes = await codes_for_first(env, caller.account.id)
    passkey, added = await _add(env, caller, new, codes, client_info, end_others=end_others)
    env.letters_waiting.set()
    await announce(env, added.revoked)
    return passkey, added


def checked_passkey(
    env: Env, ceremony: Ceremony, answer: Answer, name: str, *, verify_user: bool = False
) -> NewPasskey:
    """Return the credential that was made for this question, with its question and `name`. `verify_user`: the
    authenticator must have verified its user. Raises `PasskeyRefused` and `PasskeysUnavailable`.
    """
    try:
        made = webauthn.check_registration(relying_party(env), ceremony.challenge, answer, verify_user=verify_user)
    except NotVerified as why:
        log_refused(why)
        raise PasskeyRefused from None
    return NewPasskey(ceremony, made, name)


@retry_on_conflict
async def _add(
    env: Env, caller: Caller, new: NewPasskey, codes: NewCodes | None, client_info: ClientInfo, *, end_others: bool
) -> tuple[Passkey, Added]:
    now, account_id = env.clock.now(), caller.account.id
    async with env.store.transaction() as tx:
        await lock_recent(env, tx, caller, now)
        await spend_ceremony(tx, new.ceremony)
        to_store = await codes_to_store(tx, account_id, codes)
        passkey = new.of(account_id, relying_party(env).domain, now)
        await store_passkey(tx, passkey)
        added = await note_added(env, tx, caller, FactorKind.PASSKEY, to_store, client_info, now, end_others=end_others)
    return passkey, added


async def store_passkey(tx: Ports, passkey: Passkey) -> None:
    """Store the passkey of an account, which is locked; raises `TooManyPasskeys` and `PasskeyTaken`."""
    # `add` stores nothing if the account has too many passkeys already, or if the credential belongs to an account.
    if not await tx.passkeys.add(passkey):
        full = len(await tx.passkeys.of_account(passkey.account_id)) >= MOST_PASSKEYS
        raise TooManyPasskeys if full else PasskeyTaken
