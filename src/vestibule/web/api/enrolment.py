"""Handlers for setting up the second factor that an account must have and lacks, before the sign-in is complete. Each
needs the cookie that `login` has set.
"""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.enrol_at_sign_in import Enrolled, begin_totp_at_sign_in, confirm_totp_at_sign_in
from vestibule.flows.enrol_passkey_at_sign_in import ask_to_enrol_passkey
from vestibule.flows.enrol_passkey_at_sign_in import enrol_passkey as enrol_passkey_flow
from vestibule.flows.env import Env
from vestibule.web import cookies
from vestibule.web.api import bodies, factor_answers
from vestibule.web.api.cookie_answers import asking, signed_in
from vestibule.web.api.factors import totp_to_add
from vestibule.web.body import Sent
from vestibule.web.caller import ClientInfoDep, EnvDep, second_step_handle
from vestibule.web.site import site_of


async def enrol_totp(request: Request, env: EnvDep) -> Response:
    """Make the secret of an authenticator app. The app is no factor until one of its codes was confirmed."""
    return totp_to_add(await begin_totp_at_sign_in(env, second_step_handle(request)))


async def confirm_enrolment(
    request: Request, env: EnvDep, sent: Sent[bodies.EnrolTotp], client_info: ClientInfoDep
) -> Response:
    """Confirm the authenticator app with one of its codes, and finish the sign-in."""
    return _signed_in(
        request, env, await confirm_totp_at_sign_in(env, second_step_handle(request), sent.code, client_info)
    )


async def enrol_passkey_options(request: Request, env: EnvDep) -> Response:
    """Return what to ask the browser for, to make a passkey."""
    return asking(request, env, await ask_to_enrol_passkey(env, second_step_handle(request)))


async def enrol_passkey(
    request: Request, env: EnvDep, sent: Sent[bodies.EnrolPasskey], client_info: ClientInfoDep
) -> Response:
    """Add the passkey that the browser has made, and finish the sign-in. Without a `name`, the passkey
    gets the name of its authenticator.
    """
    web = site_of(request).web
    kept = cookies.read_ceremony(request.headers.raw, web)
    enrolled = await enrol_passkey_flow(env, second_step_handle(request), sent.credential, kept, sent.name, client_info)
    response = _signed_in(request, env, enrolled)
    cookies.clear_ceremony(response, env.clock.now(), web)
    return response


def _signed_in(request: Request, env: Env, enrolled: Enrolled) -> Response:
    """Return the tokens with the recovery codes, and set the cookies of a complete sign-in."""
    outcome, codes = enrolled.signed_in, list(enrolled.recovery_codes)
    answer = factor_answers.Enrolled(access_token=outcome.tokens.access_token, recovery_codes=codes)
    response = signed_in(request, env, outcome, answer)
    cookies.clear_second_factor(response, env.clock.now(), site_of(request).web)
    return response
