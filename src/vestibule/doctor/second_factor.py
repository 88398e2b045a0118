"""Check how many accounts must have a second factor and have none yet (VESTIBULE_SECOND_FACTOR)."""

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.accounts import Role
from vestibule.model.factors import SecondFactorRule
from vestibule.model.findings import Finding, fault, fine, hint
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings
from vestibule.storage.sql.schema import accounts, passkeys, totps
from vestibule.wiring.keys import open_seal

SUBJECT = "second factor"


async def check(settings: Settings, connection: AsyncConnection) -> list[Finding]:
    """Return findings about VESTIBULE_SECOND_FACTOR; none if a second factor is only offered."""
    rule = SecondFactorRule(settings.second_factor)
    if rule is SecondFactorRule.OFFERED:
        return []
    roles = [role.value for role in Role if rule.demands(role)]
    has_app = exists().where(totps.c.account_id == accounts.c.id, totps.c.confirmed_at.is_not(None))
    has_passkey = exists().where(passkeys.c.account_id == accounts.c.id)
    concerned = (accounts.c.role.in_(roles), accounts.c.disabled_at.is_(None))
    counted = select(func.count(), func.count().filter(~has_app, ~has_passkey)).where(*concerned)
    of_all, lacking = (await connection.execute(counted.select_from(accounts))).one()
    whose = "accounts" if rule is SecondFactorRule.REQUIRED else "operators"
    return [*_nothing_to_set_up(settings), _counted(rule, whose, of_all, lacking)]


def _counted(rule: SecondFactorRule, whose: str, of_all: int, lacking: int) -> Finding:
    if not lacking:
        return fine(SUBJECT, f"{rule.value}; all {of_all:,} {whose} have one")
    return hint(
        SUBJECT,
        f"{rule.value}; {lacking:,} of {of_all:,} {whose} have none yet",
        "They set one up at their next sign-in; until then, anybody with the password can.",
        "tell their owners to sign in soon; vestibule users factors EMAIL shows what one account has",
    )


def _nothing_to_set_up(settings: Settings) -> list[Finding]:
    """Return a fault if nobody here can set up a factor."""
    if settings.relying_party is not None or _has_seal(settings):
        return []
    return [
        fault(
            SUBJECT,
            f"{settings.second_factor}, and none can be set up here",
            "Accounts that have none cannot sign in.",
            "VESTIBULE_SECRET_KEY=…, for authenticator apps, or a VESTIBULE_URL with a host name, for passkeys",
        )
    ]


def _has_seal(settings: Settings) -> bool:
    """Return whether secrets of authenticator apps can be encrypted here, so that people can set up an app."""
    try:
        return open_seal(settings) is not None
    except WrongSettings:
        return False
