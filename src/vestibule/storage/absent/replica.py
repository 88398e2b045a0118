"""`model.sessions.SessionReplica` for a process without Redis: no session is copied anywhere."""

from vestibule.model.accounts import Account
from vestibule.model.sessions import Session


class NoSessionReplica:
    """Accepts every call and does nothing."""

    async def put(self, session: Session, account: Account) -> None:
        return None

    async def drop(self, session_ids: list[str]) -> None:
        return None

    async def check_setup(self) -> None:
        return None
