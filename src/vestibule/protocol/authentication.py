"""How somebody proved who they are: by which methods (`amr`, RFC 8176), and to which level (`acr`, RFC 9470)."""

from collections.abc import Collection
from enum import IntEnum, StrEnum

_ACR = "urn:vestibule:"


class Method(StrEnum):
    """A method by which somebody proved who they are, as `amr` names it."""

    PASSWORD = "pwd"  # a name of RFC 8176, not a password
    ONE_TIME_CODE = "otp"
    HARDWARE_KEY = "hwk"
    SOFTWARE_KEY = "swk"
    USER_PRESENT = "user"
    MORE_THAN_ONE_FACTOR = "mfa"
    FEDERATED = "fed"


class Level(IntEnum):
    """How much a sign-in proves. A greater level includes the smaller ones."""

    ONE_FACTOR = 1
    TWO_FACTORS = 2
    PHISHING_RESISTANT = 3

    @property
    def acr(self) -> str:
        """Return the level as the claim `acr` names it."""
        return f"{_ACR}{self.value}"


_LEVELS = {level.acr: level for level in Level}
_KEY_METHODS = frozenset((Method.HARDWARE_KEY, Method.SOFTWARE_KEY))


def level_reached(methods: Collection[str]) -> Level:
    """Return the level that a sign-in by these methods reaches."""
    if Method.MORE_THAN_ONE_FACTOR not in methods:
        return Level.ONE_FACTOR
    return Level.TWO_FACTORS if _KEY_METHODS.isdisjoint(methods) else Level.PHISHING_RESISTANT


def level_named(acr: str) -> Level:
    """Return the level that `acr` names; level 1 for an unknown name: a later version may have issued the token."""
    return _LEVELS.get(acr, Level.ONE_FACTOR)
