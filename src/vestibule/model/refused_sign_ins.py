"""Refused sign-ins: why a password was not accepted, told to operators alone."""

from enum import StrEnum


class WhyRefused(StrEnum):
    """The reason, as it stands in the event. No reason reveals that a password was right."""

    NO_ACCOUNT = "no account has this email"
    DISABLED = "the account is disabled"
    NOT_CHECKED = "not checked, after too many wrong passwords"
    UNVERIFIED = "the email is not verified"
    LAST_BEFORE_PAUSE = "wrong password, the last one before a pause"
    WRONG = "wrong password"
