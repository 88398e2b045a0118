"""Say what is wrong with one setting, for an operator: pydantic's own messages are for programmers."""

from collections.abc import Callable
from typing import Any

from vestibule.settings.types import shown

_SENTENCES: dict[str, Callable[[dict[str, Any], Any], str]] = {
    "literal_error": lambda context, given: f"{_given(given)} is not {context['expected']}",
    "greater_than_equal": lambda context, given: f"{given} is too low; at least {context['ge']}",
    "less_than_equal": lambda context, given: f"{given} is too high; at most {context['le']}",
}


def sentence(fault: dict[str, Any]) -> str:
    """Return a sentence for one of pydantic's errors, without the setting's name. The types of secrets have their own
    sentences, which never contain the secret.
    """
    sentence_for = _SENTENCES.get(fault["type"])
    if sentence_for is not None:
        return sentence_for(fault["ctx"], fault["input"])
    return str(fault["msg"]).removeprefix("Value error, ")


def _given(value: Any) -> str:
    return shown(value) if isinstance(value, str) else str(value)
