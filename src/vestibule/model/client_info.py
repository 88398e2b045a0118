"""Client info: what a request tells of who sends it, before anybody is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vestibule.model.devices import device_tag
from vestibule.model.sessions import Device


@dataclass(frozen=True)
class ClientInfo:
    """A device, the language it asks for, and the secrets that a browser keeps for accounts it has signed in to, by
    the tag of the account.
    """

    device: Device
    language: str | None = None
    device_secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def network_address(self) -> str:
        return self.device.network_address

    def secrets_for(self, account_id: str) -> tuple[str, ...]:
        """Return the secrets that the browser keeps for this account; several if one was planted beside ours."""
        return self.device_secrets.get(device_tag(account_id), ())
