"""Read `settings.VESTIBULE` once for each process."""

from functools import cache

from django.conf import settings
from django.core.signals import setting_changed

from vestibule.client.django.rules import UserRules, rules_from
from vestibule.client.verifier import Verifier

_SETTING = "VESTIBULE"
_USERS = "users"


@cache
def verifier() -> Verifier:
    """Return this process's verifier, made from `settings.VESTIBULE`."""
    return Verifier(**{name: value for name, value in settings.VESTIBULE.items() if name != _USERS})


@cache
def user_rules() -> UserRules:
    """Return the rules for roles in `settings.VESTIBULE["users"]`; raises `ImproperlyConfigured`."""
    return rules_from(settings.VESTIBULE.get(_USERS, {}))


def _read_anew(*, setting: str, **_: object) -> None:
    if setting == _SETTING:
        user_rules.cache_clear()


setting_changed.connect(_read_anew)  # only tests send it, with `override_settings`
