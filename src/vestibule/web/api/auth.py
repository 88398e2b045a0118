"""Handlers for `/api/auth`: each reads the request, calls one flow and builds the answer."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.ask_for_letter import request_reset, request_verification
from vestibule.flows.begin_session import SignedIn
from vestibule.flows.complete_sign_in import complete_sign_in
from vestibule.flows.passkey_second_step import ask_for_second_passkey, complete_sign_in_with_passkey
from vestibule.flows.refresh import refresh as refresh_flow
from vestibule.flows.register import register as register_flow
from vestibule.flows.report_lost_factors import report_lost_factors as report_lost_factors_flow
from vestibule.flows.reset_password import reset_password
from vestibule.flows.sign_in import sign_in
from vestibule.flows.verify_email import verify_email as verify_email_flow
from vestibule.model.errors import RefreshRefused, WrongCredentials
from vestibule.web import cookies, operator_session
from vestibule.web.api import answers, bodies
from vestibule.web.api.cookie_answers import asking, signed_in, waiting, with_tokens, without_tokens
from vestibule.web.body import Sent
from vestibule.web.caller import (
    ClientInfoDep,
    EnvDep,
    device_of,
    second_step_handle,
    session_account,
    set_device_cookie,
)
from vestibule.web.errors import Json
from vestibule.web.signing_out import SigningOut
from vestibule.web.site import site_of


async def register(env: EnvDep, sent: Sent[bodies.Register], client_info: ClientInfoDep) -> Response:
    """Create an account and mail a link that verifies its email."""
    account = await register_flow(env, sent.name, sent.email, sent.password, client_info)
    message = "An email with a verification code has been sent to your email"
    data = answers.UserData(user=answers.shown_user(account))
    return answers.as_json(answers.Registered(message=message, data=data), 201)


async def login(
    request: Request,
    env: EnvDep,
    sent: Sent[bodies.Login],
    client_info: ClientInfoDep,
) -> Response:
    """Begin a session and set its cookies. If the account has a second factor, ask for that factor; if it has none and
    must have one, ask to set one up. Both answers set the cookie that the second step needs.
    """
    previous_token = cookies.read_refresh(request.headers.raw, site_of(request).web) or ""
    try:
        outcome = await sign_in(env, sent.email, sent.password, client_info, previous_token)
    except WrongCredentials:
        raise sent.refused() from None
    if isinstance(outcome, SignedIn):
        return signed_in(request, env, outcome)
    return waiting(request, env, outcome)


async def second_factor(
    request: Request, env: EnvDep, sent: Sent[bodies.SecondFactor], client_info: ClientInfoDep
) -> Response:
    """Finish a sign-in with a code of the authenticator app, a recovery code, or a passkey. Needs the cookie that
    `login` set.
    """
    headers, web = request.headers.raw, site_of(request).web
    handle = second_step_handle(request)
    if sent.credential:
        kept = cookies.read_ceremony(headers, web)
        outcome = await complete_sign_in_with_passkey(env, handle, sent.credential, kept, client_info)
    else:
        outcome = await complete_sign_in(env, handle, sent.code, client_info)
    response = signed_in(request, env, outcome)
    cookies.clear_second_factor(response, env.clock.now(), web)
    if sent.credential:
        cookies.clear_ceremony(response, env.clock.now(), web)
    return response


async def second_factor_options(request: Request, env: EnvDep) -> Response:
    """Return what to ask the browser for, to finish a sign-in with a passkey. Needs the cookie that `login` set."""
    return asking(request, env, await ask_for_second_passkey(env, second_step_handle(request)))


async def report_lost_factors(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Mail a link that begins a reset of the second factors, if the operator allows such resets. Needs the cookie that
    `login` set.
    """
    await report_lost_factors_flow(env, second_step_handle(request), client_info)
    return answers.as_json(answers.Told(message="An email with a link has been sent. Open it within 24 hours"))


async def refresh(request: Request, env: EnvDep) -> Response:
    """Exchange the refresh token in its cookie. A refusal never clears the cookie: it may be another tab's new one."""
    refresh_token = cookies.read_refresh(request.headers.raw, site_of(request).web)
    if refresh_token is None:
        raise RefreshRefused
    return with_tokens(request, env, await refresh_flow(env, refresh_token, await device_of(request)))


async def logout(request: Request, env: EnvDep, caller: SigningOut) -> Response:
    """End this session and clear its cookies; other devices stay signed in."""
    await operator_session.sign_out_here(request, env, caller)
    response = without_tokens(request, env, answers.Success())
    operator_session.forget(request, response)
    return response


async def verify_email(request: Request, env: EnvDep, code: str) -> Response:
    """Verify the email that the code was mailed to. Second factors that were added before stay only if the request
    comes with a session of the account.
    """
    account = await session_account(request)
    await verify_email_flow(env, code, account.id if account else None)
    return answers.as_json(answers.Told(message="Email verified successfully"))


async def resend(env: EnvDep, sent: Sent[bodies.Resend], client_info: ClientInfoDep) -> Response:
    """Mail another link that verifies the email. The answer is the same if there is nothing to verify."""
    await request_verification(env, sent.email, client_info)
    message = "You will receive a verification email if this email still has to be verified"
    return answers.as_json(answers.Told(message=message))


async def forgot_password(
    env: EnvDep,
    sent: Sent[bodies.ForgotPassword],
    client_info: ClientInfoDep,
) -> Response:
    """Mail a link for choosing a new password. The answer is the same if the email is unknown."""
    await request_reset(env, sent.email, client_info)
    return answers.as_json(answers.Told(message="You will receive a reset email if user with that email exist"))


async def reset(
    request: Request,
    env: EnvDep,
    token: str,
    sent: Sent[bodies.ResetPassword],
    client_info: ClientInfoDep,
) -> Response:
    """Set a new password with a mailed token, and end every session of the account."""
    device = await reset_password(env, token, sent.password, client_info)
    response = without_tokens(request, env, answers.Told(message="Password data updated successfully"))
    set_device_cookie(request, response, env, device)
    return response


async def answer_head() -> Response:
    """Answer HEAD on a path whose GET changes something, and change nothing."""
    return Response(headers={"Content-Type": Json.media_type})
