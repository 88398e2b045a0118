"""Handlers by which signed-in users prove again who they are."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.passkey_step_up import ask_for_my_passkey, step_up_by_passkey
from vestibule.flows.step_up import step_up_by_code, step_up_by_password
from vestibule.web import cookies
from vestibule.web.api import bodies
from vestibule.web.api.cookie_answers import asking, with_tokens
from vestibule.web.body import Sent
from vestibule.web.caller import ClientInfoDep, EnvDep, SignedInCaller
from vestibule.web.site import site_of


async def options(request: Request, env: EnvDep, caller: SignedInCaller) -> Response:
    """Return what to ask the browser for, to step up with a passkey of the account."""
    return asking(request, env, await ask_for_my_passkey(env, caller))


async def step_up(
    request: Request, env: EnvDep, caller: SignedInCaller, sent: Sent[bodies.StepUp], client_info: ClientInfoDep
) -> Response:
    """Sign in again within the session, for what needs a recent sign-in. The session goes on, and the new tokens say
    that its user authenticated just now; those issued before keep saying what they said. An account with a
    second factor needs that factor.
    """
    web = site_of(request).web
    if sent.credential:
        kept = cookies.read_ceremony(request.headers.raw, web)
        tokens = await step_up_by_passkey(env, caller, sent.credential, kept, client_info)
    elif sent.code:
        tokens = await step_up_by_code(env, caller, sent.code, client_info)
    else:
        tokens = await step_up_by_password(env, caller, sent.password, client_info)
    response = with_tokens(request, env, tokens)
    if sent.credential:
        cookies.clear_ceremony(response, env.clock.now(), web)
    return response
