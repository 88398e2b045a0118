"""The handler that proves again who is signed in."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.step_up import step_up
from vestibule.web import cookies
from vestibule.web.api import answers, bodies
from vestibule.web.body import Sent
from vestibule.web.caller import ClientInfoDep, EnvDep, SignedInCaller
from vestibule.web.site import site_of


async def by_password(
    request: Request, env: EnvDep, caller: SignedInCaller, sent: Sent[bodies.StepUp], client_info: ClientInfoDep
) -> Response:
    """Sign in again within the session, for what needs a recent sign-in. The session goes on, and the new tokens say
    that its user authenticated just now; those issued before keep saying what they said.
    """
    tokens = await step_up(env, caller, sent.password, client_info)
    response = answers.as_json(answers.SignedIn(access_token=tokens.access_token))
    cookies.set_tokens(response, tokens, env.clock.now(), site_of(request).web)
    return response
