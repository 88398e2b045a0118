"""Check that the passkeys in the database can be used with these settings."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.findings import Finding, fault, fine
from vestibule.settings.fields import Settings
from vestibule.storage.sql.schema import passkeys
from vestibule.wiring.passkey_domain import other_domain

SUBJECT = "passkeys"


async def check(settings: Settings, connection: AsyncConnection) -> list[Finding]:
    """Return a finding for each domain that passkeys were made for; none if there are no passkeys."""
    by_domain = select(passkeys.c.domain, func.count()).group_by(passkeys.c.domain).order_by(passkeys.c.domain)
    return [_finding(settings, domain, count) for domain, count in await connection.execute(by_domain)]


def _finding(settings: Settings, domain: str, count: int) -> Finding:
    wrong = other_domain(settings, domain)
    if wrong is None:
        return fine(SUBJECT, f"{count} for {domain}")
    what, remedy = wrong
    return fault(
        SUBJECT, f"VESTIBULE_PASSKEY_DOMAIN {what}", f"{count} passkeys, and the server does not start.", remedy
    )
