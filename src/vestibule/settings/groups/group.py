"""The base of all groups of settings: a class with a title, a docstring for docs/settings.md, and settings."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

A_CENTURY = 36500 * 86400
"""In seconds. No setting allows a longer time, because Python's dates end with the year 9999."""


class Group(BaseModel):
    """A group of settings. The docstring of a subclass tells operators when to read about it."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    title: ClassVar[str]


def setting(name: str, default: Any, why: str, *, takes: str = "", unset: str = "", **bounds: Any) -> Any:
    """Return a field that is read from the variable `name`.

    `takes` describes the allowed values, if type and bounds do not. `unset` describes what happens without the setting.
    """
    documented: JsonDict = {"takes": takes, "unset": unset}
    return Field(default, validation_alias=name, description=why, json_schema_extra=documented, **bounds)


def name_of(field: FieldInfo) -> str:
    """Return the environment variable of a setting."""
    return str(field.validation_alias)


def lower(text: Any) -> Any:
    """Return a text in lower case, as the allowed values are written."""
    return text.lower() if isinstance(text, str) else text
