"""The sentences that Python code shows on the console, marked for translation as in `web.pages.words`."""

from vestibule.model import operator_errors as oe
from vestibule.model.accounts import Role
from vestibule.model.custom_roles import MAX_ROLES_OF_ACCOUNT
from vestibule.model.errors import EmailTaken
from vestibule.translations.marking import _
from vestibule.web.pages.words import Sentence

WHAT_ROLES_DO = {
    Role.ADMIN: _("As an administrator, you may do everything."),
    Role.HELPER: _("As a helper, you may look people up, send them emails, and sign them out."),
    Role.AUDITOR: _("As an auditor, you may read everything, and change nothing."),
    Role.USER: _("As a member, you may do nothing here."),
}
"""What each role may do, told to the operator who has it."""

DONE = {
    "retried": _("The emails are tried again now."),
    "rotated": _("The next keys sign from now on. New next ones are published."),
    "revoked": _("The key is revoked."),
    "acting-ended": _("You are no longer acting as this person."),
}
"""What was just done, by the `done` in the next page's URL. The notices of acts are with the acts (`acts.py`)."""

ACT_AS = _("Act as this person")
WHAT_ACTING_IS = _(
    "You see what this person sees, here and in your apps, for 30 minutes at most. You can change nothing in the "
    "account. The person can see that an administrator was here, and read your reason."
)
"""The button that leads to acting as somebody, and what the page says that asks before."""

WHY_NOT_HERE: dict[type[Exception], tuple[str, str]] = {
    oe.NotWhileActing: (
        _("Not while you act as somebody else"),
        _(
            "Only the owner can change or export what is in this account. The console opens again as soon as you stop "
            "acting as this person."
        ),
    ),
    oe.PermissionMissing: (_("You may not do this"), _("Your role does not allow it. Ask an administrator.")),
    oe.PersonMayDoMore: (
        _("You may not do this"),
        _("The role of this person allows more than yours. Ask an administrator."),
    ),
    oe.LastAdmin: (
        _("Nothing was changed"),
        _("This is the only administrator. Make somebody else an administrator first."),
    ),
}
"""Title and sentence for these refusals. They come before `WHY_NOT` of `web.pages.words`, whose sentence for the same
status would say something else.
"""

WHY_NOT_DONE: dict[type[Exception], Sentence] = {
    oe.AccountDisabled: (_("The account is disabled. Enable it first."), {}),
    EmailTaken: (
        _("Another account has this email address, or may still take it back."),
        {},
    ),
    oe.TooManyLinks: (_("This mailbox has been sent as many links as it may get in a day."), {}),
    oe.OwnerUnreachable: (
        _(
            "Its owner cannot be told by email, and so could not object: the account is disabled, or its email address "
            "not confirmed."
        ),
        {},
    ),
    oe.PasswordInDoubt: (
        _("The email address was registered more than once, so the password may be a stranger's. Send a link instead."),
        {},
    ),
    oe.CannotBeActedAs: (
        _("Nobody can act as this person: it is an operator, or the account is disabled."),
        {},
    ),
    oe.OwnerNotTold: (
        _("The owner has been told of this by email as often as happens in a day. Try again tomorrow."),
        {},
    ),
    oe.EmailDiffers: (_("This is not the email address of the account."), {}),
    oe.RoleUnknown: (_("One of these roles was deleted meanwhile. Choose again."), {}),
    oe.TooManyRolesOfAccount: (
        _("An account can have at most %(count)s roles for services."),
        {"count": MAX_ROLES_OF_ACCOUNT},
    ),
    oe.RoleNeedsVerifiedEmail: (_("The email address was never confirmed. Confirm it first."), {}),
}
"""Why an act was not carried out, on the page that asks for it. Any other refusal has a page of its own."""
