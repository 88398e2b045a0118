"""The pages of my passkeys: add one, rename it, remove it. The script asks the authenticator for a new one."""

import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.crypto.relying_party import user_handle
from vestibule.flows.add_passkey import add_passkey, ask_to_add_passkey
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.my_factors import list_factors
from vestibule.flows.my_passkeys import is_known, list_passkeys
from vestibule.flows.my_passkeys import remove_passkey as remove_passkey_flow
from vestibule.flows.my_passkeys import rename_passkey as rename_passkey_flow
from vestibule.flows.my_sessions import count_others
from vestibule.flows.reauthenticate import ask_for_recent_sign_in
from vestibule.model.factor_errors import LastFactor, PasskeyTaken, PasskeyUnknown, TooManyPasskeys
from vestibule.model.passkeys import MOST_PASSKEYS, Passkey
from vestibule.web import cookies
from vestibule.web.api import bodies
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import new_codes, render, return_to
from vestibule.web.pages.browser_session import BrowserCaller, SessionForm
from vestibule.web.pages.form import sent_credential, validated
from vestibule.web.pages.passkey_form import PASSKEY_REFUSALS, passkey_faults
from vestibule.web.pages.route import SECURITY, see_other
from vestibule.web.pages.words import LAST_FACTOR, NO_PASSKEY_NAME, Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

_END_OTHERS, _REMOVED = "end_others", "removed"
_CREDENTIAL = re.compile("[A-Za-z0-9_-]{1,1400}")


@dataclass(frozen=True)
class Signal:
    """What the script tells the password manager (WebAuthn, section 5.1.10): the RP ID `domain`, the user handle
    `user`, and the id of the credential that was just removed; empty if none was.
    """

    domain: str
    user: str
    removed: str


async def listed(request: Request, env: Env, caller: Caller) -> dict[str, Any]:
    """Return the variables of `passkey_list.html`: the passkeys, and what the script tells the password manager. The
    passkey in the URL counts as removed only if nobody has it.
    """
    passkeys, party = await list_passkeys(env, caller), env.policy.relying_party
    if party is None:
        return {"passkeys": passkeys, "signal": None}
    removed = request.query_params.get(_REMOVED, "")
    if not _CREDENTIAL.fullmatch(removed) or await is_known(env, removed):
        removed = ""
    return {"passkeys": passkeys, "signal": Signal(party.domain, user_handle(caller.account.id), removed)}


async def ask_new(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Offer to add a passkey; or say that the account has the most passkeys that it may have."""
    try:
        await ask_to_add_passkey(env, caller)  # only to refuse: the script asks again
    except TooManyPasskeys:
        return render.page(request, "new_passkey.html", most=MOST_PASSKEYS)
    return render.page(request, "new_passkey.html", others=await count_others(env, caller))


async def add_my_passkey(
    request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, client_info: ClientInfoDep
) -> Response:
    """Add the passkey that the browser has made, and show the recovery codes if it is the first factor."""
    web, end_others = site_of(request).web, _END_OTHERS in form
    kept = cookies.read_ceremony(request.headers.raw, web)
    try:
        credential = sent_credential(request, form)
        _, added = await add_passkey(env, caller, credential, kept, "", client_info, end_others=end_others)
    except TooManyPasskeys:
        return see_other(f"{SECURITY}/passkeys/new")
    except (*PASSKEY_REFUSALS, PasskeyTaken) as refusal:
        return render.page(
            request, "new_passkey.html", HTTP_MAPPINGS[type(refusal)].status, faults=passkey_faults(refusal)
        )
    target = new_codes.PATH if added.recovery_codes else SECURITY
    going_to = return_to.allowed_here(request) if added.recovery_codes else ""
    response = see_other(return_to.with_query(target, notice="passkey_added", return_to=going_to))
    if added.recovery_codes:
        new_codes.keep(request, response, caller.session_id, added.recovery_codes)
    cookies.clear_ceremony(response, env.clock.now(), web)
    return response


async def ask_name(request: Request, env: EnvDep, caller: BrowserCaller, passkey_id: str) -> Response:
    """Ask for another name. Raises `PasskeyUnknown`, as do all pages of one passkey."""
    return name_form(request, passkey=await _mine(env, caller, passkey_id))


async def rename(request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, passkey_id: str) -> Response:
    """Rename the passkey."""
    try:
        sent = validated(request, bodies.RenamePasskey, form)
    except BodyInvalid as invalid:
        missing = not form.get("name", "").strip()
        faults = {"name": NO_PASSKEY_NAME} if missing else faults_of(invalid.entries)
        return name_form(request, 400, faults)
    await rename_passkey_flow(env, caller, passkey_id, sent.name)
    return see_other(return_to.with_query(SECURITY, notice="passkey_renamed"))


async def ask_remove(request: Request, env: EnvDep, caller: BrowserCaller, passkey_id: str) -> Response:
    """Ask before removing a passkey."""
    passkey, factors = await _mine(env, caller, passkey_id), await list_factors(env, caller)
    last = factors.totp is None and factors.passkeys == 1
    others = await count_others(env, caller)
    return render.page(request, "remove_passkey.html", passkey=passkey, last=last, others=others)


async def remove(
    request: Request,
    env: EnvDep,
    caller: BrowserCaller,
    form: SessionForm,
    client_info: ClientInfoDep,
    passkey_id: str,
) -> Response:
    """Remove the passkey. A passkey that was removed already is not an error. The script of the next page tells the
    password manager. If the account must have a factor, the last one stays.
    """
    try:
        removed = await remove_passkey_flow(env, caller, passkey_id, client_info, end_others=_END_OTHERS in form)
    except LastFactor:
        status, faults = HTTP_MAPPINGS[LastFactor].status, {"passkey": LAST_FACTOR}
        return render.page(request, "remove_passkey.html", status, faults=faults)
    except PasskeyUnknown:
        return see_other(SECURITY)
    return see_other(return_to.with_query(SECURITY, notice="passkey_removed", **{_REMOVED: removed.credential_id}))


async def _mine(env: Env, caller: Caller, passkey_id: str) -> Passkey:
    """Return one of the caller's passkeys. Raises `PasskeyUnknown`, and `ReauthenticationRequired` without a recent
    sign-in.
    """
    await ask_for_recent_sign_in(env, caller)
    for passkey in await list_passkeys(env, caller):
        if passkey.id == passkey_id:
            return passkey
    raise PasskeyUnknown


def name_form(
    request: Request, status: int = 200, faults: dict[str, Sentence] | None = None, **variables: Any
) -> Response:
    """Return the form with the passkey's name. Also called if the request was refused for now (429, 503)."""
    return render.page(request, "passkey_name.html", status, faults=faults, **variables)
