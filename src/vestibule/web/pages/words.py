"""Sentences that stand in Python. They are marked here for the catalogues, and translated where a page is rendered."""

from typing import Any


def _(english: str) -> str:
    """The sentence itself; the name is what tools look for that collect sentences (gettext's `gettext_noop`)."""
    return english


_TOO_SHORT = _("Use at least %(count)s characters.")
_TOO_LONG = _("Use at most %(count)s characters.")
_DIFFERENT = _("The two passwords are not the same.")
_MISSING = _("Choose a password.")
_OTHER = _("This cannot be a password. Choose another one.")


def fault_of_password(entry: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The sentence for a fault in a new password as the API words it (`BodyInvalid.entries`), and its numbers."""
    if entry["code"] == "too_small":
        return _TOO_SHORT, {"count": entry["minimum"]}
    if entry["code"] == "too_big":
        return _TOO_LONG, {"count": entry["maximum"]}
    if entry["code"] == "invalid_type":
        return _MISSING, {}
    return (_DIFFERENT if entry["path"][-1] == "passwordConfirm" else _OTHER), {}
