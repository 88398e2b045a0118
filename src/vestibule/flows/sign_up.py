"""Sign up on a page: register, and begin a session at once where nobody has to verify the email first."""

from vestibule.flows.env import Env
from vestibule.flows.register import register
from vestibule.flows.sign_in import SignedIn, begin_session
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import Fault, WrongCredentials


async def sign_up(env: Env, name: str, email: str, password: str, client_info: ClientInfo) -> SignedIn | None:
    """Register an account and begin its first session; raises what `register` raises. Return None if the person has to
    sign in: where verification is mandatory or accounts are concealed, or if the session could not begin. The account
    is registered in any case, so a fault after that must not be answered as if it were not.
    """
    account = await register(env, name, email, password, client_info)
    if not env.policy.signs_in_at_sign_up:
        return None
    try:
        return await begin_session(env, account, client_info)
    except (WrongCredentials, Fault):
        return None
