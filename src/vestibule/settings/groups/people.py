"""Settings about people: who may register, and how long they stay signed in."""

from typing import ClassVar, Literal

from vestibule.settings.groups.group import A_CENTURY, Group, setting
from vestibule.settings.types import Switch, Whole

_UP_TO_A_CENTURY = "60 to 3,153,600,000 (a century)"


class Registering(Group):
    """Read this when you decide what it takes to have an account, and to sign in to it."""

    title: ClassVar[str] = "Who may register and sign in"

    email_verification: Literal["optional", "mandatory"] = setting(
        "VESTIBULE_EMAIL_VERIFICATION",
        "optional",
        "`mandatory`: nobody signs in before the email is verified. `optional`: signing up on the page signs in at "
        "once.",
    )
    conceal_accounts: Switch | None = setting(
        "VESTIBULE_CONCEAL_ACCOUNTS",
        None,
        "`on`: registering a taken email is answered like any other, and its owner is told by mail; signing in to an "
        "unverified email is answered like a wrong password. Needs `VESTIBULE_EMAIL_VERIFICATION=mandatory`. `off`: "
        "the contract's 409 and 401.",
        unset="on where verification is mandatory",
    )
    email_code: Switch = setting(
        "VESTIBULE_EMAIL_CODE",
        False,
        "`on`: people can also sign in by a code that is mailed to them. A second factor is asked for after it, as "
        "after a password.",
    )
    password_min_length: Whole = setting(
        "VESTIBULE_PASSWORD_MIN_LENGTH",
        8,
        "Shortest password, in characters. NIST asks for 15 where the password is the only factor.",
        ge=8,
        le=64,
    )
    password_max_length: Whole = setting(
        "VESTIBULE_PASSWORD_MAX_LENGTH", 128, "Longest password, in characters.", ge=32, le=256
    )
    password_blocklist: Switch = setting(
        "VESTIBULE_PASSWORD_BLOCKLIST",
        True,
        "Refuses new passwords that are among the 30,000 commonest, or little more than the account's email or the "
        "product's name.",
    )
    second_factor: Literal["offered", "required", "required_for_admins"] = setting(
        "VESTIBULE_SECOND_FACTOR",
        "offered",
        "`required`: nobody gets a token without a second factor, which is an authenticator app or a passkey. An "
        "account that has none sets one up when it next signs in. A session that began without one ends at its next "
        "refresh. `required_for_admins`: the same, for `admin`, `helper` and `auditor` alone.",
    )
    console: Literal["two_factors", "password", "off"] = setting(
        "VESTIBULE_CONSOLE",
        "two_factors",
        "What the console for operators, `/admin`, and its API ask for, beside a sign-in within 15 minutes: a second "
        "factor, or, with `password`, a second factor only from operators who have one. `off`: neither exists here.",
    )
    impersonation: Literal["told", "untold", "off"] = setting(
        "VESTIBULE_IMPERSONATION",
        "told",
        "`told`: admins may act as somebody else, for 30 minutes and with a reason, and an email tells the owner. "
        "`untold`: without that email; the owner still sees the session and its event. `off`: nobody may.",
    )


class StayingSignedIn(Group):
    """Read this when people are signed out too early or too late."""

    title: ClassVar[str] = "How long people stay signed in"

    session_idle_seconds: Whole = setting(
        "VESTIBULE_SESSION_IDLE_SECONDS",
        3600,
        "Seconds without a refresh after which a session ends; also the lifetime of a refresh token.",
        takes=_UP_TO_A_CENTURY,
        ge=60,
        le=A_CENTURY,
    )
    session_seconds: Whole = setting(
        "VESTIBULE_SESSION_SECONDS",
        30 * 86400,
        "Seconds after which a session ends, used or not.",
        takes=_UP_TO_A_CENTURY,
        ge=60,
        le=A_CENTURY,
    )
    sessions_per_account: Whole = setting(
        "VESTIBULE_SESSIONS_PER_ACCOUNT",
        100,
        "Sessions that one account may have at once. One more sign-in ends the one that was unused for longest.",
        ge=1,
        le=1000,
    )
    access_token_seconds: Whole = setting(
        "VESTIBULE_ACCESS_TOKEN_SECONDS", 900, "Lifetime of an access token, in seconds.", ge=30, le=3600
    )
    refresh_rotation: Switch = setting(
        "VESTIBULE_REFRESH_ROTATION",
        True,
        "Each refresh gives a new refresh token. `off`: one refresh token for the whole session, which "
        "then ends VESTIBULE_SESSION_IDLE_SECONDS after sign-in, used or not.",
    )
    refresh_grace_seconds: Whole = setting(
        "VESTIBULE_REFRESH_GRACE_SECONDS",
        10,
        "Seconds for which a refresh token that was just used gives the same successor again, so that tabs may "
        "refresh at once.",
        ge=0,
        le=60,
    )
    reauthentication_seconds: Whole = setting(
        "VESTIBULE_REAUTHENTICATION_SECONDS",
        300,
        "Signing out other devices and exporting one's data need a sign-in at most this many seconds ago, or a step-up "
        "(`POST /api/users/me/step-up`). It cannot be turned off: a browser left open would be enough for everything. "
        "Changing a password or an email asks for the current password in any case.",
        ge=60,
        le=86400,
    )
    factor_reset_days: Whole = setting(
        "VESTIBULE_FACTOR_RESET_DAYS",
        0,
        "Days after which second factors are removed that somebody reports lost, with the password and a mailed link. "
        "A factor that is used, or a device that is signed in, cancels it. `0`: only operators can "
        "(`vestibule users reset-factors`). With fewer than 7, somebody on holiday may not notice in time.",
        ge=0,
        le=90,
    )
