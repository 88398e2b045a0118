"""What the admin API answers about custom roles. The OpenAPI document shows these classes with their docstrings."""

from pydantic import Field

from vestibule.model.custom_roles import CustomRole, HeldRole
from vestibule.web.api.answers import Answer, Success, timestamp


class ShownRole(Answer):
    """A role that operators made, and what it permits in services."""

    name: str
    permissions: list[str]
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    changed_at: str = Field(json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, role: CustomRole) -> "ShownRole":
        return cls(
            name=role.name,
            permissions=list(role.permissions),
            created_at=timestamp(role.created_at),
            changed_at=timestamp(role.changed_at),
        )


class ListedRole(ShownRole):
    """A role in a list. `holders` is how many accounts have the role; 1,000 means 1,000 or more."""

    holders: int

    @classmethod
    def with_holders(cls, held: HeldRole) -> "ListedRole":
        return cls(**ShownRole.of(held.role).model_dump(), holders=held.holders)


class RolesData(Answer):
    roles: list[ListedRole]


class ListedRoles(Success):
    """The roles that operators made, by name. Built-in roles are not among them."""

    data: RolesData


class RoleData(Answer):
    role: ShownRole


class RoleCreated(Success):
    """The role that was created."""

    data: RoleData


class TakenData(Answer):
    taken: int


class RoleTakenFrom(Success):
    """From how many accounts the role was taken; 0 if no account had it."""

    data: TakenData
