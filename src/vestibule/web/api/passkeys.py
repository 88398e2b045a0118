"""Handlers for passkeys: each reads the request, calls one flow and builds the answer."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows import passkey_sign_in
from vestibule.flows.ceremony import LIFETIME, Question
from vestibule.flows.env import Env
from vestibule.web import cookies
from vestibule.web.api import answers, bodies
from vestibule.web.body import Sent
from vestibule.web.caller import ClientInfoDep, EnvDep, keep_device
from vestibule.web.site import site_of


async def sign_in_options(request: Request, env: EnvDep) -> Response:
    """What to ask the browser for, to sign in with any passkey of this server. Everybody is asked the same."""
    return asking(request, env, passkey_sign_in.ask_for_passkey(env))


async def sign_in(request: Request, env: EnvDep, sent: Sent[bodies.UsePasskey], client_info: ClientInfoDep) -> Response:
    """Begin a session with a passkey alone, and set its cookies."""
    headers, web = request.headers.raw, site_of(request).web
    held, kept = cookies.read_refresh(headers, web) or "", cookies.read_ceremony(headers, web)
    outcome = await passkey_sign_in.sign_in_with_passkey(env, sent.credential, kept, client_info, held)
    response = answers.as_json(answers.SignedIn(access_token=outcome.tokens.access_token))
    cookies.set_tokens(response, outcome.tokens, env.clock.now(), web)
    cookies.clear_ceremony(response, env.clock.now(), web)
    keep_device(request, response, env, outcome.device)
    return response


def asking(request: Request, env: Env, question: Question) -> Response:
    """Return the options, and set the cookie that keeps the question."""
    response = answers.as_json(answers.PasskeyOptions(data=answers.PasskeyOptionsData(publicKey=question.options)))
    seconds = int(LIFETIME.total_seconds())
    cookies.set_ceremony(response, question.kept, seconds, env.clock.now(), site_of(request).web)
    return response
