"""What an operator can do to an account, by the console and by its API: each act with its words, what it asks for, its
permission, and how it is carried out.
"""

from vestibule.model import operator_errors as oe
from vestibule.model.errors import EmailTaken
from vestibule.model.permissions import Permission
from vestibule.model.reasons import Mend
from vestibule.translations.marking import _
from vestibule.web.api.admin import admin_bodies
from vestibule.web.console import carry_out
from vestibule.web.console.act import Act

NOTHING = _("Nothing was changed: it was so already.")
"""The notice after an act that found nothing to do."""

ACTS = (
    Act(
        "enable",
        Permission.PEOPLE_CHANGE,
        _("Enable the account"),
        _(
            "The owner can sign in again, with the password and the second factor of before. Links that "
            "were mailed before stay void."
        ),
        _("The account is enabled."),
        carry_out.enable,
        lambda person: person.account.disabled_at is not None,
        (Mend.ENABLE,),
    ),
    Act(
        "send-verification",
        Permission.PEOPLE_LETTERS,
        _("Send a confirmation link"),
        _("An email with a link goes to the address of the account. Opening the link confirms the address."),
        _("The email with the link is on its way."),
        carry_out.send_verification,
        lambda person: not person.account.verified and not person.invitation and not person.account.disabled_at,
        (Mend.VERIFY, Mend.RETRY_LETTER),
        refusals=(oe.AccountDisabled, oe.TooManyLinks),
    ),
    Act(
        "invite",
        Permission.PEOPLE_CHANGE,
        _("Send the invitation again"),
        _("An email with a link goes to the address of the account. The link that was sent before stops working."),
        _("The invitation is on its way."),
        carry_out.invite_again,
        lambda person: person.invitation is not None and person.account.disabled_at is None,
        (Mend.INVITE, Mend.RETRY_LETTER),
        refusals=(EmailTaken, oe.TooManyLinks),
        hashes=True,
    ),
    Act(
        "verify",
        Permission.PEOPLE_CHANGE,
        _("Confirm the email address"),
        _("Only if you know that the owner reads the mail there: anybody who does can set a new password."),
        _("The email address is confirmed."),
        carry_out.verify,
        lambda person: not person.account.verified and not person.invitation,
        (Mend.VERIFY, Mend.RETRY_LETTER),
        refusals=(oe.PasswordInDoubt,),
    ),
    Act(
        "unlock",
        Permission.PEOPLE_CHANGE,
        _("End the pause"),
        _(
            "Passwords and codes are checked again at once, and emails that were asked for too often are sent again. "
            "If an attacker is guessing, the guessing goes on too."
        ),
        _("The pause is over: passwords and codes are checked again, and emails are sent."),
        carry_out.unlock,
        lambda person: bool(person.factors.paused),
        (Mend.UNLOCK,),
    ),
    Act(
        "reset-factors",
        Permission.PEOPLE_CHANGE,
        _("Turn off two-factor authentication"),
        _(
            "Be sure that you talk to the owner. The owner is told by email and can keep it; after 24 "
            "hours the authenticator app, passkeys and recovery codes are removed, and every device is "
            "signed out."
        ),
        _("Two-factor authentication will be turned off in 24 hours. The owner was told by email."),
        carry_out.reset_factors,
        lambda person: person.factors.needed and person.factors.reset is None,
        (Mend.RESET_FACTORS,),
        refusals=(oe.OwnerUnreachable,),
    ),
    Act(
        "send-reset",
        Permission.PEOPLE_LETTERS,
        _("Send a link for a new password"),
        _("An email with a link goes to the address of the account. Anybody who opens it can choose a new password."),
        _("The email with the link is on its way."),
        carry_out.send_reset,
        lambda person: person.account.disabled_at is None,
        (Mend.SEND_RESET, Mend.RETRY_LETTER),
        refusals=(oe.AccountDisabled, oe.TooManyLinks),
    ),
    Act(
        "keep-factors",
        Permission.PEOPLE_CHANGE,
        _("Keep two-factor authentication"),
        _("The authenticator app, passkeys and recovery codes stay. The owner is told by email."),
        _("Two-factor authentication stays on."),
        carry_out.keep_factors,
        lambda person: person.factors.reset is not None,
    ),
    Act(
        "sign-out",
        Permission.PEOPLE_SESSIONS,
        _("Sign out everywhere"),
        _("Every device is signed out at once. The owner can sign in again."),
        _("Every device is signed out."),
        carry_out.sign_out,
        lambda person: person.live_sessions > 0,
    ),
    Act(
        "reset-factors-now",
        Permission.PEOPLE_CHANGE,
        _("Turn off two-factor authentication now"),
        _(
            "Only if you know that a part of it is a thief's: nobody can keep it then. Have the owner choose a new "
            "password first. The authenticator app, passkeys and recovery codes are removed at once, and every device "
            "is signed out."
        ),
        _("Two-factor authentication is off."),
        carry_out.reset_factors_now,
        lambda person: person.factors.needed,
        danger=True,
    ),
    Act(
        "set-email",
        Permission.PEOPLE_CHANGE,
        _("Change the email address"),
        _(
            "A link goes to the new address. It counts once it is opened where its owner is signed in to the account; "
            "the old address then gets a link that undoes the change. If nobody has used the account yet, the address "
            "is replaced at once, and the link confirms it."
        ),
        _("An email with a link is on its way to the new address."),
        carry_out.change_email,
        lambda person: person.account.disabled_at is None,
        (Mend.CHANGE_EMAIL,),
        asks=admin_bodies.SetEmail,
        refusals=(EmailTaken, oe.AccountDisabled, oe.TooManyLinks),
    ),
    Act(
        "set-role",
        Permission.PEOPLE_ROLES,
        _("Change the role"),
        _("Every device is signed out, so that none keeps the role before. The owner can sign in again."),
        _("The role is changed."),
        carry_out.give_role,
        lambda _person: True,
        asks=admin_bodies.SetRole,
        refusals=(oe.LastAdmin, oe.RoleNeedsVerifiedEmail),
    ),
    Act(
        "set-roles",
        Permission.PEOPLE_ROLES,
        _("Change roles for services"),
        _(
            "These roles permit things in your own services, and nothing here. If they change, every device is signed "
            "out, so that none keeps the roles before. The owner can sign in again."
        ),
        _("The roles for services are changed."),
        carry_out.give_roles,
        lambda person: person.account.verified or bool(person.account.roles),
        asks=admin_bodies.SetRoles,
        refusals=(oe.RoleUnknown, oe.TooManyRolesOfAccount, oe.RoleNeedsVerifiedEmail),
    ),
    Act(
        "disable",
        Permission.PEOPLE_CHANGE,
        _("Disable the account"),
        _("Every device is signed out, and nobody can sign in until an administrator enables the account again."),
        _("The account is disabled."),
        carry_out.disable,
        lambda person: person.account.disabled_at is None,
        asks=admin_bodies.Disable,
        refusals=(oe.LastAdmin,),
        danger=True,
    ),
    Act(
        "delete",
        Permission.PEOPLE_DELETE,
        _("Delete the account"),
        _("The account and everything in it is deleted permanently. Nothing brings it back."),
        _("The account is deleted."),
        carry_out.delete,
        lambda _person: True,
        asks=admin_bodies.Delete,
        refusals=(oe.EmailDiffers, oe.LastAdmin),
        danger=True,
    ),
)
"""Every act that a button of the person's page leads to, in the order of the buttons."""

END_SESSION = Act(
    "sessions/{session_id}",
    Permission.PEOPLE_SESSIONS,
    _("Sign out this device"),
    _("The device is signed out at once. The owner can sign in again."),
    _("The device was signed out."),
    carry_out.end_session,
    lambda _person: False,
)
"""The act whose buttons stand beside the sessions, so it is never among the acts that a person's page offers."""

EVERY_ACT = (*ACTS, END_SESSION)
"""Every act."""
