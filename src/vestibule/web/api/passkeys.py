"""Handlers for passkeys: each reads the request, calls one flow and builds the answer."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows import add_passkey, my_passkeys, passkey_sign_in
from vestibule.web import cookies
from vestibule.web.api import answers, bodies, factor_answers
from vestibule.web.api.cookie_answers import asking, signed_in
from vestibule.web.body import Sent
from vestibule.web.caller import ClientInfoDep, EnvDep, SignedInCaller
from vestibule.web.site import site_of


async def sign_in_options(request: Request, env: EnvDep) -> Response:
    """Return what to ask the browser for, to sign in with any passkey of this server. Everybody is asked the same."""
    return asking(request, env, passkey_sign_in.ask_for_passkey(env))


async def sign_in(request: Request, env: EnvDep, sent: Sent[bodies.UsePasskey], client_info: ClientInfoDep) -> Response:
    """Begin a session with a passkey alone, and set its cookies."""
    headers, web = request.headers.raw, site_of(request).web
    previous_token, kept = cookies.read_refresh(headers, web) or "", cookies.read_ceremony(headers, web)
    outcome = await passkey_sign_in.sign_in_with_passkey(env, sent.credential, kept, client_info, previous_token)
    response = signed_in(request, env, outcome)
    cookies.clear_ceremony(response, env.clock.now(), web)
    return response


async def list_my_passkeys(env: EnvDep, caller: SignedInCaller) -> Response:
    """List the passkeys of the account."""
    mine = await my_passkeys.list_passkeys(env, caller)
    shown = [factor_answers.ShownPasskey.of(passkey) for passkey in mine]
    return answers.as_json(factor_answers.Passkeys(data=factor_answers.PasskeysData(passkeys=shown)))


async def creation_options(request: Request, env: EnvDep, caller: SignedInCaller) -> Response:
    """Return what to ask the browser for, to add a passkey. Needs a recent sign-in."""
    return asking(request, env, await add_passkey.ask_to_add_passkey(env, caller))


async def add_my_passkey(
    request: Request, env: EnvDep, caller: SignedInCaller, sent: Sent[bodies.AddPasskey], client_info: ClientInfoDep
) -> Response:
    """Add the passkey that the browser has made. Without a `name`, it gets the name of its authenticator."""
    web = site_of(request).web
    passkey, added = await add_passkey.add_passkey(
        env,
        caller,
        sent.credential,
        cookies.read_ceremony(request.headers.raw, web),
        sent.name,
        client_info,
        end_others=sent.end_others,
    )
    data = factor_answers.PasskeyAddedData(
        passkey=factor_answers.ShownPasskey.of(passkey),
        recovery_codes=list(added.recovery_codes),
        other_sessions=added.other_sessions,
    )
    response = answers.as_json(factor_answers.PasskeyAdded(data=data), 201)
    cookies.clear_ceremony(response, env.clock.now(), web)
    return response


async def rename_my_passkey(
    env: EnvDep, caller: SignedInCaller, passkey_id: str, sent: Sent[bodies.RenamePasskey]
) -> Response:
    """Rename a passkey. Needs a recent sign-in."""
    await my_passkeys.rename_passkey(env, caller, passkey_id, sent.name)
    return answers.as_json(answers.Success())


async def remove_my_passkey(
    env: EnvDep,
    caller: SignedInCaller,
    passkey_id: str,
    sent: Sent[bodies.ChangeFactors],
    client_info: ClientInfoDep,
) -> Response:
    """Remove a passkey. With the last factor, the recovery codes go too. Needs a recent sign-in."""
    removed = await my_passkeys.remove_passkey(env, caller, passkey_id, client_info, end_others=sent.end_others)
    data = factor_answers.PasskeyRemovedData(rpId=removed.domain, credentialId=removed.credential_id)
    return answers.as_json(factor_answers.PasskeyRemoved(data=data))
