"""Handlers for the caller's own account: list and end sessions, change name, password and email."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows import my_sessions
from vestibule.flows.change_email import request_change
from vestibule.flows.change_name import change_name
from vestibule.flows.change_password import change_password
from vestibule.web.api import answers, bodies
from vestibule.web.api.cookie_answers import signed_in, without_tokens
from vestibule.web.body import Sent
from vestibule.web.caller import ClientInfoDep, EnvDep, SignedInCaller


async def list_mine(env: EnvDep, caller: SignedInCaller) -> Response:
    """List up to a hundred devices that are signed in to the account, the one last seen first, and count the others."""
    live = await my_sessions.list_sessions(env, caller)
    listed = [answers.ShownSession.of(session, caller.session_id) for session in live.listed]
    if live.not_listed:
        return answers.as_json(answers.Sessions(data=answers.SomeSessionsData(sessions=listed, more=live.not_listed)))
    return answers.as_json(answers.Sessions(data=answers.SessionsData(sessions=listed)))


async def end_one(request: Request, env: EnvDep, caller: SignedInCaller, session_id: str) -> Response:
    """Sign one device out. The tokens of that device are refused at once and everywhere."""
    await my_sessions.end_one(env, caller, session_id)
    if session_id == caller.session_id:
        return without_tokens(request, env, answers.Success())
    return answers.as_json(answers.Success())


async def end_others(env: EnvDep, caller: SignedInCaller) -> Response:
    """Sign every other device out."""
    return answers.as_json(answers.Ended(data=answers.EndedData(ended=await my_sessions.end_others(env, caller))))


async def change_my_name(
    env: EnvDep, caller: SignedInCaller, sent: Sent[bodies.ChangeName], client_info: ClientInfoDep
) -> Response:
    """Change the name of the account."""
    account = await change_name(env, caller, sent.name, client_info)
    return answers.as_json(answers.Me(data=answers.UserData(user=answers.shown_user(account))))


async def change_my_password(
    request: Request,
    env: EnvDep,
    caller: SignedInCaller,
    sent: Sent[bodies.ChangePassword],
    client_info: ClientInfoDep,
) -> Response:
    """Change the password, which needs the current one. Every session ends, and this device gets a new session."""
    outcome = await change_password(env, caller, sent.current_password, sent.password, client_info)
    return signed_in(request, env, outcome)


async def change_my_email(
    env: EnvDep,
    caller: SignedInCaller,
    sent: Sent[bodies.ChangeEmail],
    client_info: ClientInfoDep,
) -> Response:
    """Mail a link to the new email, which needs the current password. Nothing changes before the link is used. The link
    leads to a page of Vestibule, even if `ORIGIN` is set.
    """
    await request_change(env, caller, sent.current_password, sent.email, client_info)
    return answers.as_json(answers.Told(message="You will receive an email at the new address to confirm it"))
