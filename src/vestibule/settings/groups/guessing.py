"""Settings that stop password guessing and floods: how often a network, an account or an email may be tried."""

from typing import ClassVar

from vestibule.settings.groups.group import Group, setting
from vestibule.settings.types import Whole


class Guessing(Group):
    """Read this when a whole office or school is told to wait, or when you are under attack."""

    title: ClassVar[str] = "Stop guessing and floods"

    sign_ins_per_network: Whole = setting(
        "VESTIBULE_SIGN_INS_PER_NETWORK",
        300,
        "Sign-ins, right or wrong, that one network may try in a minute; changes of a password or an email count too. "
        "The network's other limits follow it: in a minute a fifth as many registrations, two fifths as many requests "
        "for emails and uses of mailed links, twice as many log-outs and requests about one's own account, four times "
        "as many refreshes; and in an hour a fifth as many emails. A network is an IPv4 address or the /64 of an IPv6 "
        "address: an office behind one router is one.",
        ge=1,
        le=1_000_000,
    )
    password_failures: Whole = setting(
        "VESTIBULE_PASSWORD_FAILURES",
        50,
        "Wrong passwords in a row, from wherever they come, after which no password is checked until it is reset by "
        "mail. From the 21st on, each makes the next one wait: 1 s, 2 s, 4 s … up to 15 minutes. Known devices, which "
        "have signed in to the account before, share another count of the same size.",
        ge=3,
        le=50,
    )
    letters_per_email: Whole = setting(
        "VESTIBULE_LETTERS_PER_EMAIL",
        3,
        "Emails of one kind that strangers can have sent to one address, five minutes apart; the next follows an hour "
        "later, and in the end one every three hours. A request beyond that gets the same answer and sends nothing: "
        "the link in the last email works until the next may be asked for.",
        ge=1,
        le=1000,
    )
