"""Handlers for signing in by an emailed code. `application` adds their routes only where that is switched on."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.ask_for_email_code import request_email_code
from vestibule.flows.begin_session import SignedIn
from vestibule.flows.email_code_sign_in import sign_in_by_email_code
from vestibule.web import cookies
from vestibule.web.api import answers, bodies
from vestibule.web.api.cookie_answers import signed_in, waiting
from vestibule.web.body import Sent
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.site import site_of


async def ask(
    request: Request, env: EnvDep, sent: Sent[bodies.AskForEmailCode], client_info: ClientInfoDep
) -> Response:
    """Mail a code to sign in with, and set a cookie that must be sent with the code. The answer is the same if the
    email is unknown.
    """
    web, now = site_of(request).web, env.clock.now()
    kept = cookies.read_email_code(request.headers.raw, web)
    handle = await request_email_code(env, sent.email, client_info, kept)
    response = answers.as_json(answers.Told(message="You will receive a code if a user with that email exists"))
    cookies.set_email_code(response, handle, now, web)
    return response


async def verify(request: Request, env: EnvDep, sent: Sent[bodies.TypedCode], client_info: ClientInfoDep) -> Response:
    """Begin a session with a mailed code, and set its cookies; if the account has or must have a second factor, ask
    for that, as `login` does. Needs the cookie that was set when the code was asked for.
    """
    headers, web = request.headers.raw, site_of(request).web
    kept, previous_token = cookies.read_email_code(headers, web), cookies.read_refresh(headers, web) or ""
    outcome = await sign_in_by_email_code(env, kept, sent.code, client_info, previous_token)
    response = signed_in(request, env, outcome) if isinstance(outcome, SignedIn) else waiting(request, env, outcome)
    cookies.clear_email_code(response, env.clock.now(), web)
    return response
