"""What the admin API answers about people. The OpenAPI document shows these classes with their docstrings."""

from pydantic import Field

from vestibule.model.accounts import Account, Role
from vestibule.web.api.answers import Answer, Success, timestamp


class ListedPerson(Answer):
    """An account in a list. `roles` are its custom roles. `disabled_at` is null while the account is enabled."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    email: str
    name: str
    role: Role
    roles: list[str]
    verified: bool
    disabled_at: str | None
    created_at: str = Field(json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, account: Account) -> "ListedPerson":
        return cls(
            id=account.id,
            email=account.email,
            name=account.name,
            role=account.role,
            roles=list(account.roles),
            verified=account.verified,
            disabled_at=account.disabled_at and timestamp(account.disabled_at),
            created_at=timestamp(account.created_at),
        )


class PeopleData(Answer):
    people: list[ListedPerson]
    next: str | None


class People(Success):
    """The accounts that were found. `next` is the cursor of the next ones; null after the last."""

    data: PeopleData


class OnePersonData(Answer):
    person: ListedPerson


class OnePerson(Success):
    """The account that was created."""

    data: OnePersonData
