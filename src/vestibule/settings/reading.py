"""Read the settings from the environment and `.env`, once at the start, and report everything that is wrong."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import ValidationError

from vestibule.process.operator_errors import OperatorError
from vestibule.protocol.utf8 import is_utf8
from vestibule.settings import env_file, rules
from vestibule.settings.fields import Settings, name_of
from vestibule.settings.names import mistyped, unknown
from vestibule.settings.sentences import sentence

ENV_FILE = Path(".env")
_MODE = "NODE_ENV"
_SETTING_NAMES = re.compile(r"[A-Z][A-Z_]{3,}")


class WrongSettings(OperatorError, ValueError):
    """Wrong settings, which stop the start. The message has one line for each wrong setting, with its name."""

    status: ClassVar[int] = 2


def read(further_faults: Callable[[Settings], Iterable[str]] = lambda _: ()) -> Settings:
    """Return the settings in the environment and in `.env`; raises `WrongSettings` with a line for each that is wrong.

    `further_faults` are checks by the code that will use the settings (`wiring/opening.py`): each yields a line for a
    fault, beginning with a setting's name.
    """
    names = [name_of(field) for field in Settings.model_fields.values()]
    file = env_file.read(ENV_FILE, names)
    faults = [*file.faults, *unknown({**file.values, **os.environ}, names)]
    given = _given(file.values, names)
    chosen, field_faults = _validated(given)
    faults += field_faults
    if file.whole:  # otherwise the unread part may have the missing settings
        for check in (rules.complaints, further_faults):
            # A setting that is wrong has its default in `chosen`. A fault that names the setting may be about that
            # default, so it is left out.
            wrong = {fault.partition(":")[0] for fault in faults}
            faults += [fault for fault in check(chosen) if not wrong & set(_SETTING_NAMES.findall(fault))]
    if faults:
        lines = [" ".join(fault.split()) for fault in faults]
        raise WrongSettings("\n".join(dict.fromkeys(lines)))  # each line once
    return chosen


def says_production() -> bool:
    """Return whether NODE_ENV is `production`, whatever else may be wrong with the settings. Never raises."""
    try:
        return _given(env_file.read(ENV_FILE, ()).values, [_MODE]).get(_MODE) == "production"
    except OSError:
        return False


def likely_typos() -> list[tuple[str, str]]:
    """Return the names in `.env` that may be typing errors, each with the setting that may be meant."""
    names = [name_of(field) for field in Settings.model_fields.values()]
    of_file = env_file.read(ENV_FILE, names).values
    return list(mistyped(of_file, names, _given(of_file, names)))


def from_env_file(name: str) -> bool:
    """Return whether a setting comes from `.env`, and not from the environment."""
    return not os.environ.get(name, "").strip() and bool(env_file.read(ENV_FILE, ()).values.get(name, "").strip())


def _given(of_file: Mapping[str, str], names: list[str]) -> dict[str, str]:
    """Return the values that are set, stripped. The environment wins over the file. An empty value counts as unset."""
    stripped = {name: os.environ.get(name, "").strip() or of_file.get(name, "").strip() for name in names}
    return {name: text for name, text in stripped.items() if text}


def _validated(given: dict[str, str]) -> tuple[Settings, list[str]]:
    """Return the settings, with defaults instead of wrong values, and a line for each wrong value."""
    lines = {name: "is not UTF-8" for name, text in given.items() if not is_utf8(text)}
    try:
        Settings.model_validate({name: text for name, text in given.items() if name not in lines})
    except ValidationError as faults:
        # Reversed, so that the first fault of each setting is the one that stays.
        lines |= {str(fault["loc"][0]): sentence(dict(fault)) for fault in reversed(faults.errors())}
    valid = {name: text for name, text in given.items() if name not in lines}
    return Settings.model_validate(valid), [f"{name}: {line}" for name, line in lines.items()]
