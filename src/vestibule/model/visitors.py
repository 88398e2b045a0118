"""Visitors: whoever sends a request, as far as that can be told before he is known."""

from dataclasses import dataclass

from vestibule.model.sessions import Device


@dataclass(frozen=True)
class Visitor:
    """A device, the language it asks for, and the secrets that a browser keeps for accounts it has signed in to."""

    device: Device
    language: str | None = None
    device_secrets: tuple[str, ...] = ()

    @property
    def network_address(self) -> str:
        return self.device.network_address
