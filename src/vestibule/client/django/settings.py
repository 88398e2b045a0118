"""Read `settings.VESTIBULE` once for each process: when Django starts if the middleware is there, else at the first
request.
"""

from collections.abc import Mapping
from functools import cache
from inspect import signature
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from vestibule.client.django.rules import UserRules, rules_from
from vestibule.client.verifier import Verifier
from vestibule.protocol.service_keys import hide_keys

_SETTING = "VESTIBULE"
_USERS = "users"
_EXAMPLE = f'{_SETTING} = {{"url": "https://auth.example.com", "service_key": "vsk_…"}}'
_made: dict[str, Verifier] = {}


def verifier() -> Verifier:
    """Return this process's verifier, made from `settings.VESTIBULE`; raises `ImproperlyConfigured`."""
    # No lock, because a forked child could inherit it locked. If several threads make one at once, all use the first;
    # the others have started nothing.
    return _made.get(_SETTING) or _made.setdefault(_SETTING, verifier_from(_configured()))


def verifier_from(setting: Mapping[str, Any]) -> Verifier:
    """Return a verifier made from a value of `settings.VESTIBULE`. Raises `ImproperlyConfigured`, which names the
    argument that is missing, misspelt or wrong.
    """
    arguments = {name: value for name, value in setting.items() if name != _USERS}
    try:
        signature(Verifier).bind(**arguments)
        return Verifier(**arguments)
    except (TypeError, ValueError) as fault:
        raise ImproperlyConfigured(hide_keys(f"settings.{_SETTING}: {fault}")) from None


@cache
def user_rules() -> UserRules:
    """Return the rules for roles in `settings.VESTIBULE["users"]`; raises `ImproperlyConfigured`."""
    return rules_from(_configured().get(_USERS, {}))


def _configured() -> Mapping[str, Any]:
    value = getattr(settings, _SETTING, None)
    if not isinstance(value, Mapping):
        raise ImproperlyConfigured(f"the settings of Django lack the dict {_SETTING}: add {_EXAMPLE}")
    return value


def _read_anew(*, setting: str, **_: object) -> None:
    if setting == _SETTING:
        user_rules.cache_clear()


setting_changed.connect(_read_anew)  # only tests send it, with `override_settings`
