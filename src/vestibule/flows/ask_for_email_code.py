"""Ask for an email code: mail a code, and return the handle that this browser has to send with it."""

from dataclasses import replace

from vestibule.flows.ask_for_letter import queue_if_allowed
from vestibule.flows.email_code_handle import begin_handle, open_handle, seal_handle
from vestibule.flows.env import Env
from vestibule.model.client_info import ClientInfo
from vestibule.model.email_code_errors import EmailCodeElsewhere
from vestibule.model.email_codes import HANDLE, EmailCodeHandle
from vestibule.model.letters import LetterKind


async def request_email_code(env: Env, email: str, client_info: ClientInfo, kept: str = "") -> str:
    """Mail a code with which this browser can sign in, if the email has an account. Return the sealed handle for the
    browser's cookie. Does not tell whether there is an account, or that a limit is reached.

    `kept` is the sealed handle in the browser's cookie. If no letter may be sent now, the browser keeps that handle, so
    that the code in the last letter still works.
    """
    handle, previous = begin_handle(env, email), _previous(env, kept)
    queued = await queue_if_allowed(env, LetterKind.SIGN_IN_CODE, email, client_info, {HANDLE: handle.digest})
    if not queued and previous is not None and previous.email == email and env.clock.now() < previous.ends_at:
        handle = previous
    elif not queued:
        handle = replace(handle, queued=False)
    return seal_handle(env, handle)


def _previous(env: Env, kept: str) -> EmailCodeHandle | None:
    try:
        return open_handle(env, kept)
    except EmailCodeElsewhere:
        return None
