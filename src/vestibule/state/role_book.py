"""The role book: what each role permits, as this process knows it. `learn` updates it from a read of the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from vestibule.model.custom_roles import CustomRole
from vestibule.model.permissions import OF_ROLE
from vestibule.protocol.permissions import Permissions, version_of
from vestibule.protocol.tasks import SharedWork

_BUILT_IN = {role.value: frozenset(each.value for each in permissions) for role, permissions in OF_ROLE.items()}


@dataclass(frozen=True)
class SignedPermissions:
    """The permissions of all roles as a document that is signed for services: its text, what it says, the id of the
    key, and when it was signed, in monotonic seconds.
    """

    text: str
    permissions: Permissions
    key_id: str
    signed_at: float


@dataclass
class RoleBook:
    """The permissions of all roles, as found by the read that was sent at `looked_at` (monotonic seconds), and the
    document that was signed last for services.

    While a request for that document reads the roles (`reading`) or signs it (`signing`), others wait for its result.
    """

    permissions: Permissions = field(default_factory=lambda: _permissions(()))
    looked_at: float = float("-inf")
    signed: SignedPermissions | None = None
    reading: SharedWork[str, None] = field(default_factory=SharedWork)
    signing: SharedWork[str, SignedPermissions] = field(default_factory=SharedWork)
    _custom: Sequence[CustomRole] = ()

    def learn(self, roles: Sequence[CustomRole], sent_at: float) -> None:
        """Note the custom roles that a read found; `sent_at` is when the read was sent, in monotonic seconds. Does
        nothing if a read that was sent later has been noted.
        """
        if sent_at < self.looked_at:
            return
        if roles != self._custom:
            self.permissions, self._custom = _permissions(roles), roles
        self.looked_at = sent_at


def _permissions(roles: Sequence[CustomRole]) -> Permissions:
    permitted = {**{role.name: frozenset(role.permissions) for role in roles}, **_BUILT_IN}
    return Permissions(permitted, version_of(permitted))
