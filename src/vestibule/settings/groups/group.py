"""What a group of settings is made of: a class with a title, a docstring that says when to read it, and settings."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

A_CENTURY = 36500 * 86400
"""Seconds; the longest that anything may last, because years end at 9999."""


class Group(BaseModel):
    """A group of settings. A subclass says in its docstring who reads it, and when."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    title: ClassVar[str]


def setting(name: str, default: Any, why: str, *, takes: str = "", unset: str = "", **bounds: Any) -> Any:
    """Return a field that is read from the variable `name`.

    `takes` says what may be written, where type and bounds do not; `unset` what holds while it is not set.
    """
    shown: JsonDict = {"takes": takes, "unset": unset}
    return Field(default, validation_alias=name, description=why, json_schema_extra=shown, **bounds)


def name_of(field: FieldInfo) -> str:
    """Return the name under which a setting is looked up in the environment."""
    return str(field.validation_alias)


def lower(text: Any) -> Any:
    """Return a choice in small letters, as its alternatives are written."""
    return text.lower() if isinstance(text, str) else text
