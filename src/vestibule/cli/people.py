"""How an account is printed, for people and for programs."""

from typing import Any

from vestibule.model.accounts import Account


def state_of(account: Account) -> str:
    """Return what is unusual about an account; empty if it is verified and enabled."""
    if account.disabled_at is not None:
        return "disabled"
    return "" if account.verified else "not verified"


def account_for_programs(account: Account) -> dict[str, Any]:
    """Return an account as a JSON object, without anything secret. Times are ISO 8601."""
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "role": account.role.value,
        "roles": list(account.roles),
        "verified": account.verified,
        "disabled_at": account.disabled_at and account.disabled_at.isoformat(),
        "created_at": account.created_at.isoformat(),
    }
