"""Check the peppers: whether every stored password can be checked, and whether an old pepper is still needed."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.crypto.pepper import PEPPER_PREFIX, Pepper
from vestibule.model.findings import Finding, fault, fine, hint
from vestibule.settings.fields import Settings
from vestibule.storage.sql.schema import accounts

SUBJECT = "passwords"


async def check(settings: Settings, connection: AsyncConnection) -> list[Finding]:
    """Return findings about the peppers in the settings, compared with the hashes in the database."""
    old = settings.pepper_old.get_secret_value()
    known = map(_made_with, filter(None, (settings.pepper.get_secret_value(), old)))
    lost = accounts.c.password_hash.startswith(PEPPER_PREFIX) & not_(or_(False, *known))  # `or_` needs at least one
    found = [*_lost(await _count(connection, lost))]
    if old:
        found += _old(await _count(connection, _made_with(old)))
    return found


def _made_with(secret: str) -> ColumnElement[bool]:
    """Return the condition that an account's hash was made with this pepper."""
    return accounts.c.password_hash.startswith(Pepper(secret).mark)


async def _count(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    return int((await connection.execute(select(func.count()).select_from(accounts).where(which))).scalar_one())


def _lost(count: int) -> Iterator[Finding]:
    if count:
        yield fault(
            SUBJECT,
            f"{count} were hashed with a pepper that is not in the settings",
            "Their owners are told that the password is wrong, until they reset it by mail.",
            "VESTIBULE_PEPPER with that secret, or VESTIBULE_PEPPER_OLD if there is a newer one",
        )


def _old(count: int) -> Iterator[Finding]:
    if count:
        yield fine(SUBJECT, f"{count} still need VESTIBULE_PEPPER_OLD; each is hashed anew when its owner signs in")
    else:
        why = "A secret that nothing needs can only leak."
        yield hint(SUBJECT, "no password needs VESTIBULE_PEPPER_OLD any more", why, "unset VESTIBULE_PEPPER_OLD")
