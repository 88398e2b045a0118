"""Responses that come with cookies: the tokens of a session, their deletion, and a question to an authenticator."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.begin_session import EnrolmentNeeded, SecondFactorNeeded, SignedIn
from vestibule.flows.ceremony import LIFETIME, Question
from vestibule.flows.env import Env
from vestibule.flows.issue_tokens import Tokens
from vestibule.flows.second_factor_rule import enrolment_required
from vestibule.model import pending_sign_ins
from vestibule.model.factor_errors import SecondFactorRequired
from vestibule.web import cookies, operator_session
from vestibule.web.api import answers, factor_answers
from vestibule.web.caller import set_device_cookie
from vestibule.web.errors import refusal_response
from vestibule.web.site import site_of


def signed_in(request: Request, env: Env, outcome: SignedIn, answer: answers.Answer | None = None) -> Response:
    """Answer a complete sign-in: set the cookies with its tokens, and the one by which the account knows this browser
    again. `answer` is the body; by default, the body has only the access token.
    """
    response = with_tokens(request, env, outcome.tokens, answer)
    set_device_cookie(request, response, env, outcome.device)
    operator_session.forget(request, response)
    site_of(request).hints.signed_in(request.headers)
    return response


def waiting(request: Request, env: Env, outcome: SecondFactorNeeded | EnrolmentNeeded) -> Response:
    """Answer a sign-in that waits for its second step, or until a second factor is set up: with 403, and the cookie
    with the handle of the waiting sign-in.
    """
    if isinstance(outcome, SecondFactorNeeded):
        response = refusal_response(SecondFactorRequired(outcome.kinds))
    else:
        response = refusal_response(enrolment_required(env))
    now, web = env.clock.now(), site_of(request).web
    cookies.set_second_factor(response, outcome.handle, pending_sign_ins.LIFETIME, now, web)
    return response


def with_tokens(request: Request, env: Env, tokens: Tokens, answer: answers.Answer | None = None) -> Response:
    """Answer with `answer`, or else with the access token, and set the cookies with both tokens."""
    response = answers.as_json(answer or answers.SignedIn(access_token=tokens.access_token))
    cookies.set_tokens(response, tokens, env.clock.now(), site_of(request).web)
    return response


def without_tokens(request: Request, env: Env, answer: answers.Answer) -> Response:
    """Answer with this body, and delete the cookies of the session."""
    response = answers.as_json(answer)
    cookies.clear(response, env.clock.now(), site_of(request).web)
    return response


def asking(request: Request, env: Env, question: Question) -> Response:
    """Answer with the options for an authenticator, and set the cookie that keeps the question."""
    data = factor_answers.PasskeyOptionsData(publicKey=question.options)
    response = answers.as_json(factor_answers.PasskeyOptions(data=data))
    seconds = int(LIFETIME.total_seconds())
    cookies.set_ceremony(response, question.kept, seconds, env.clock.now(), site_of(request).web)
    return response
