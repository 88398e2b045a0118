"""Client info: what a request tells of its sender, before the sender is identified."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vestibule.model.devices import device_tag
from vestibule.model.sessions import Device


@dataclass(frozen=True)
class ClientInfo:
    """The device, the language it asks for, and the secrets in its cookies, by `device_tag`: one for each account that
    it signed in to (`model/devices.py`). `return_to` is the page that the request wants to go to afterwards, kept for a
    mailed link that may be opened in another browser; empty if the request named none.
    """

    device: Device
    language: str | None = None
    device_secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    return_to: str = ""

    @property
    def network_address(self) -> str:
        """Return the device's network address."""
        return self.device.network_address

    def secrets_for(self, account_id: str) -> tuple[str, ...]:
        """Return what the browser keeps for this account; several if an attacker planted a cookie beside ours."""
        return self.device_secrets.get(device_tag(account_id), ())
