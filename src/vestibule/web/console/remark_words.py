"""What stands after the sentence of an event: the reason, if it is one that Vestibule itself stores."""

from collections.abc import Mapping

from vestibule.model.events import EventKind
from vestibule.model.refused_sign_ins import WhyRefused
from vestibule.model.sessions import EndReason
from vestibule.translations.marking import _

_WHY_REFUSED = {
    WhyRefused.NO_ACCOUNT: _("no account has this email address"),
    WhyRefused.DISABLED: _("the account is disabled"),
    WhyRefused.NOT_CHECKED: _("not checked, after too many wrong passwords"),
    WhyRefused.UNVERIFIED: _("the email address was never confirmed"),
    WhyRefused.LAST_BEFORE_PAUSE: _("wrong password, the last one before a pause"),
    WhyRefused.WRONG: _("wrong password"),
}
_WHY_OVER = {
    EndReason.SIGNED_OUT: _("by its user"),
    EndReason.SIGNED_OUT_ELSEWHERE: _("from another device"),
    EndReason.EXPIRED: _("maximum length reached"),
    EndReason.IDLE: _("not used for too long"),
    EndReason.PASSWORD_CHANGED: _("password changed"),
    EndReason.PASSWORD_RESET: _("password reset"),
    EndReason.EMAIL_CHANGED: _("email address changed"),
    EndReason.EMAIL_TAKEN_BACK: _("earlier email address restored"),
    EndReason.FACTORS_RESET: _("two-factor authentication turned off"),
    EndReason.REFRESH_TOKEN_REUSED: _("used from two places"),
    EndReason.ENDED_BY_OPERATOR: _("by an administrator"),
    EndReason.ACTING_ENDED: _("an administrator was signed in as this person"),
    EndReason.ACCOUNT_DISABLED: _("account disabled"),
    EndReason.ACCOUNT_DELETED: _("account deleted"),
    EndReason.TOO_MANY_SESSIONS: _("too many devices"),
    EndReason.SECOND_FACTOR_REQUIRED: _("second factor required"),
    EndReason.ROLE_CHANGED: _("role changed"),
}
REMARKS: Mapping[EventKind, Mapping[str, str]] = {
    EventKind.SIGN_IN_REFUSED: {why.value: words for why, words in _WHY_REFUSED.items()},
    EventKind.SESSION_ENDED: {why.value: words for why, words in _WHY_OVER.items()},
}
"""For each kind of event, the words for each reason that Vestibule stores. Any other reason was typed by a person."""
