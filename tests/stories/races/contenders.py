"""Every flow that writes about an account, by the module it is in, as something to do with a person."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pyotp

from tests.harness.authenticator import Authenticator
from tests.harness.world import World
from tests.stories.passkeys import made_passkey
from tests.stories.races.people import BROWSER, PASSWORD, Person
from tests.unit.storage import an_account
from vestibule.crypto.entropy import new_id
from vestibule.flows import (
    add_passkey,
    administer,
    ask_for_email_code,
    ask_for_letter,
    begin_session,
    cancel_factor_reset,
    change_email,
    change_name,
    change_password,
    choose_language,
    clean_up,
    create_account,
    custom_roles,
    delete_account,
    deliver,
    email_code_sign_in,
    enrol_at_sign_in,
    enrol_totp,
    export_person,
    impersonate,
    import_accounts,
    invite,
    look_after_mail,
    mail_link,
    mark_verified,
    my_factors,
    my_passkeys,
    my_sessions,
    passkey_sign_in,
    passkey_step_up,
    refresh,
    register,
    remove_new_factor,
    report_lost_factors,
    reset_factors,
    reset_password,
    set_custom_roles,
    set_email,
    set_role,
    sign_in,
    sign_out,
    sign_up,
    step_up,
    stop_acting,
    take_over,
    unlock_account,
    verify_email,
    watch_events,
)
from vestibule.flows.begin_session import SecondFactorNeeded
from vestibule.flows.email_code_handle import begin_handle, digest_of_code, seal_handle
from vestibule.flows.env import Env
from vestibule.model.accounts import Account, Role
from vestibule.model.email_codes import OF_ACCOUNT, mint_code
from vestibule.model.factor_errors import PasskeyUnknown
from vestibule.model.factor_resets import AskedBy, FactorReset, NoReset
from vestibule.model.factors import SecondFactorRule
from vestibule.model.letters import LetterKind, RefusedForGood
from vestibule.model.one_time_tokens import Purpose, issue
from vestibule.model.operator_errors import RoleTaken
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.model.sessions import Device, begin

Act = Callable[[World, Person], Awaitable[Any]]
NEW_PASSWORD = "another horse"
# What neither writes about an account nor takes the locks of one, and why.
APART = {
    "follow_keys": "signing keys",
    "open_key_ring": "signing keys",
    "reencrypt_totps": "secrets of authenticator apps, each by one guarded statement",
    "rotate_keys": "signing keys",
    "custom_roles": "roles, of which each has a lock of its own",
    "service_keys": "keys of services",
}
# Part of others here.
WITHIN = {
    "add_factor": "add an app",
    "begin_session": "sign in",
    "compose_letter": "deliver",
    "login_attempt": "sign in wrongly",
    "tell_if_shared": "refresh from elsewhere",
}


class _Refusing:
    async def send(self, letter: Any) -> str:
        raise RefusedForGood("550 no such mailbox")


def _deliver(kind: LetterKind, *, refused: bool = False) -> Act:
    async def act(world: World, person: Person) -> Any:
        env = replace(world.env, mailer=_Refusing()) if refused else world.env
        return await deliver.deliver(env, person.letters[kind])

    return act


class _Taking:
    """Row converter, claims and listener of an import that takes every row as it is."""

    def account(self, row: Any) -> Account:
        return cast(Account, row.account)

    def demoted(self, row: Any) -> int:
        return 0

    def row_for(self, email: str, label: str) -> str:
        return label

    def progress(self, rows: int) -> None:
        pass

    def left_out(self, label: str, reason: str) -> None:
        pass

    def made_room(self, squatter: str, owner: str) -> None:
        pass


async def _import(world: World, person: Person) -> Any:
    async def batches() -> AsyncIterator[Sequence[Any]]:
        wanted = replace(an_account(email=person.account.email), verified=True)
        people = [wanted, an_account(email=f"{new_id()}@example.com")]
        yield [SimpleNamespace(label=each.id, account=each) for each in people]

    everything = _Taking()
    source = import_accounts.Source(batches(), cast(Any, everything), everything)
    return await import_accounts.import_accounts(world.env, source, everything)


async def _refresh_from_elsewhere(world: World, person: Person) -> Any:
    """As a tab's that raced, but by another program on another network."""
    await _rotate(world, person, 1)
    return await refresh.refresh(world.env, person.refresh_token(world), Device("a stranger", "203.0.113.9"))


async def _refresh_reused(world: World, person: Person) -> Any:
    """As the thief's: its counter was used, and its successor too."""
    for counter in (1, 2):
        await _rotate(world, person, counter)
    return await refresh.refresh(world.env, person.refresh_token(world), BROWSER)


async def _rotate(world: World, person: Person, counter: int) -> None:
    async with world.env.store.transaction() as tx:
        await tx.sessions.rotate(person.sessions[0].id, counter, world.env.policy.sessions, world.clock.now())


def _register(world: World, person: Person) -> Awaitable[Any]:
    return register.register(world.env, "Ada", person.account.email, NEW_PASSWORD, person.client_info)


async def _confirm_app(world: World, person: Person) -> Any:
    """Begin an app and confirm it."""
    new = await enrol_totp.begin_totp(world.env, person.caller)
    code = pyotp.parse_uri(new.uri).at(world.clock.now())  # type: ignore[union-attr]  # it is of TOTP
    return await enrol_totp.confirm_totp(world.env, person.caller, code, person.client_info, end_others=True)


async def _enrol_at_sign_in(world: World, person: Person) -> Any:
    """Sign in where a second factor is required, and set up an app; or none, if there is one by now."""
    env = replace(world.env, policy=replace(world.env.policy, second_factor=SecondFactorRule.REQUIRED))
    outcome = await begin_session.begin_session(env, person.account, person.client_info)
    if not isinstance(outcome, begin_session.EnrolmentNeeded):
        return outcome
    new = await enrol_at_sign_in.begin_totp_at_sign_in(env, outcome.handle)
    code = pyotp.parse_uri(new.uri).at(world.clock.now())  # type: ignore[union-attr]  # it is of TOTP
    return await enrol_at_sign_in.confirm_totp_at_sign_in(env, outcome.handle, code, person.client_info)


async def _step_up_by_code(world: World, person: Person) -> Any:
    """With the code after the one that confirmed the app."""
    new = await enrol_totp.begin_totp(world.env, person.caller)
    app = pyotp.parse_uri(new.uri)
    now, next_step = world.clock.now(), world.clock.now() + timedelta(seconds=30)
    code, next_code = (app.at(moment) for moment in (now, next_step))  # type: ignore[union-attr]  # it is of TOTP
    await enrol_totp.confirm_totp(world.env, person.caller, code, person.client_info, end_others=False)
    return await step_up.step_up_by_code(world.env, person.caller, next_code, person.client_info)


async def _with_a_passkey(world: World, person: Person) -> Authenticator:
    """One that is made now; raises `PasskeyUnknown` if the account is gone, which has none any more."""
    authenticator = Authenticator()
    async with world.env.store.transaction() as tx:
        if await tx.accounts.lock(person.account.id) is None:
            raise PasskeyUnknown
        await tx.passkeys.add(made_passkey(authenticator, person.account, world.clock.now()))
    return authenticator


async def _step_up_with_a_passkey(world: World, person: Person) -> Any:
    authenticator = await _with_a_passkey(world, person)
    question = await passkey_step_up.ask_for_my_passkey(world.env, person.caller)
    credential = authenticator.get(question.options)
    return await passkey_step_up.step_up_by_passkey(
        world.env, person.caller, credential, question.kept, person.client_info
    )


async def _sign_in_with_a_passkey(world: World, person: Person) -> Any:
    authenticator = await _with_a_passkey(world, person)
    question = passkey_sign_in.ask_for_passkey(world.env)
    credential = authenticator.get(question.options)
    return await passkey_sign_in.sign_in_with_passkey(world.env, credential, question.kept, person.client_info)


async def _add_a_passkey(world: World, person: Person) -> Any:
    question = await add_passkey.ask_to_add_passkey(world.env, person.caller)
    made, client_info = Authenticator().create(question.options), person.client_info
    return await add_passkey.add_passkey(
        world.env, person.caller, made, question.kept, "", client_info, end_others=True
    )


async def _change_a_passkey(world: World, person: Person) -> Any:
    """Add one, rename it and remove it."""
    passkey, _ = await _add_a_passkey(world, person)
    await my_passkeys.rename_passkey(world.env, person.caller, passkey.id, "Blue key")
    return await my_passkeys.remove_passkey(world.env, person.caller, passkey.id, person.client_info)


async def _begin_a_reset(world: World, person: Person) -> FactorReset | NoReset:
    """Of a passkey that is made now."""
    await _with_a_passkey(world, person)
    return await reset_factors.begin_reset(world.env, COMMAND_LINE, person.account)


async def _report_lost_factors(world: World, person: Person) -> Any:
    """At the second step of a sign-in, where a policy allows it."""
    await _with_a_passkey(world, person)
    waiting = await sign_in.sign_in(world.env, person.account.email, PASSWORD, person.client_info)
    if not isinstance(waiting, SecondFactorNeeded):  # the factors were reset meanwhile
        return waiting
    return await report_lost_factors.report_lost_factors(_allowing(world), waiting.handle, person.client_info)


async def _begin_a_reset_by_link(world: World, person: Person) -> Any:
    await _with_a_passkey(world, person)
    return await report_lost_factors.begin_reset_by_link(_allowing(world), person.secrets[Purpose.RESET_FACTORS])


def _allowing(world: World) -> Env:
    return replace(world.env, policy=replace(world.env.policy, factor_reset_wait=timedelta(days=7)))


async def _keep_factors(world: World, person: Person) -> Any:
    """In a session, when the operator has just begun to reset them."""
    await _begin_a_reset(world, person)
    return await cancel_factor_reset.cancel_my_reset(world.env, person.caller, person.client_info)


async def _keep_factors_by_link(world: World, person: Person) -> Any:
    """Whose letter was sent before."""
    await _begin_a_reset(world, person)
    secret = person.secrets[Purpose.KEEP_FACTORS]
    return await cancel_factor_reset.cancel_by_link(world.env, secret, person.client_info)


async def _remove_a_new_factor(world: World, person: Person) -> Any:
    """A passkey that is made now, by the link in the letter about it."""
    await _with_a_passkey(world, person)
    secret = person.secrets[Purpose.REMOVE_NEW_FACTOR]
    return await remove_new_factor.remove_new_factor(world.env, secret, person.client_info)


async def _finish_a_reset(world: World, person: Person) -> Any:
    """One that is due at once."""
    await _with_a_passkey(world, person)
    now = world.clock.now()
    async with world.env.store.transaction() as tx:
        if await tx.accounts.lock(person.account.id) is not None:
            await tx.factor_resets.begin(FactorReset(person.account.id, now, now, AskedBy.OPERATOR))
    return await reset_factors.finish_reset(world.env, person.account.id)


async def _set_custom_roles(world: World, person: Person) -> Any:
    """To one that is made now, unless it was made before."""
    with suppress(RoleTaken):
        await custom_roles.create_custom_role(world.env, COMMAND_LINE, "billing", ["invoices:read"])
    return await set_custom_roles.set_custom_roles(world.env, COMMAND_LINE, person.account, ["billing"])


async def _sign_in_by_a_code(world: World, person: Person) -> Any:
    """With a code as a letter has it, which is stored first."""
    handle = begin_handle(world.env, person.account.email)
    code = mint_code()
    async with world.env.store.transaction() as tx:
        account = await tx.accounts.lock(person.account.id)
        if account is not None:
            digest = digest_of_code(world.env, handle.digest, code)
            token = issue(digest, account, Purpose.SIGN_IN_CODE, world.clock.now())
            await tx.one_time_tokens.add_beside(token, OF_ACCOUNT)
    kept = seal_handle(world.env, handle)
    return await email_code_sign_in.sign_in_by_email_code(world.env, kept, code, person.client_info)


async def _act_as(world: World, person: Person) -> Any:
    """By an admin who has just signed in."""
    operator, _ = await create_account.create_account(
        world.env, COMMAND_LINE, "Olive", f"{new_id()}@example.com", Role.ADMIN
    )
    begun = begin(new_id(), operator.id, BROWSER, world.env.policy.sessions, world.clock.now())
    async with world.env.store.transaction() as tx:
        await tx.sessions.open(begun, operator.epoch)
    acts = Operator(operator.id, begun.id, "192.0.2.7")
    return await impersonate.impersonate(world.env, acts, person.account.id, "a ticket")


async def _stop_acting(world: World, person: Person) -> Any:
    """By an admin who has just begun."""
    acting = await _act_as(world, person)
    return await stop_acting.stop_acting(world.env, acting.session.id)


CONTENDERS: dict[str, tuple[str, Act]] = {
    "sign out everywhere": ("administer", lambda w, p: administer.sign_out_everywhere(w.env, COMMAND_LINE, p.account)),
    "end one session": (
        "administer",
        lambda w, p: administer.end_session_of(w.env, COMMAND_LINE, p.account, p.sessions[1].id),
    ),
    "disable": ("administer", lambda w, p: administer.disable_account(w.env, COMMAND_LINE, p.account)),
    "enable": ("administer", lambda w, p: administer.enable_account(w.env, COMMAND_LINE, p.account)),
    "set the role": ("set_role", lambda w, p: set_role.set_role(w.env, COMMAND_LINE, p.account, Role.HELPER)),
    "set custom roles": ("set_custom_roles", _set_custom_roles),
    "act as somebody": ("impersonate", _act_as),
    "stop acting": ("stop_acting", _stop_acting),
    "export": ("export_person", lambda w, p: export_person.export_person(w.env, COMMAND_LINE, p.account)),
    "unlock": ("unlock_account", lambda w, p: unlock_account.unlock_account(w.env, COMMAND_LINE, p.account)),
    "mail a link": (
        "mail_link",
        lambda w, p: mail_link.mail_link(w.env, COMMAND_LINE, p.account, LetterKind.RESET_PASSWORD),
    ),
    "mark verified": ("mark_verified", lambda w, p: mark_verified.mark_verified(w.env, COMMAND_LINE, p.account)),
    "ask for a reset": (
        "ask_for_letter",
        lambda w, p: ask_for_letter.request_reset(w.env, p.account.email, p.client_info),
    ),
    "ask for a code": (
        "ask_for_email_code",
        lambda w, p: ask_for_email_code.request_email_code(w.env, p.account.email, p.client_info),
    ),
    "ask for a new email": (
        "change_email",
        lambda w, p: change_email.request_change(w.env, p.caller, PASSWORD, f"{new_id()}@example.com", p.client_info),
    ),
    "confirm a new email": (
        "change_email",
        lambda w, p: change_email.confirm_change(w.env, p.caller, p.secrets[Purpose.CHANGE_EMAIL]),
    ),
    "undo": (
        "change_email",
        lambda w, p: change_email.undo_change(w.env, p.secrets[Purpose.UNDO_EMAIL_CHANGE]),
    ),
    "change password": (
        "change_password",
        lambda w, p: change_password.change_password(w.env, p.caller, PASSWORD, NEW_PASSWORD, p.client_info),
    ),
    "change a name": ("change_name", lambda w, p: change_name.change_name(w.env, p.caller, "Countess", p.client_info)),
    "choose a language": ("choose_language", lambda w, p: choose_language.choose_language(w.env, p.caller, "de")),
    "create": (
        "create_account",
        lambda w, p: create_account.create_account(w.env, COMMAND_LINE, "A", p.account.email, Role.USER),
    ),
    "delete": ("delete_account", lambda w, p: delete_account.delete_account(w.env, COMMAND_LINE, p.account)),
    "deliver a reset": ("deliver", _deliver(LetterKind.RESET_PASSWORD)),
    "deliver a verification": ("deliver", _deliver(LetterKind.VERIFY_EMAIL)),
    "deliver an undo": ("deliver", _deliver(LetterKind.EMAIL_CHANGED)),
    "fail to deliver": ("deliver", _deliver(LetterKind.RESET_PASSWORD, refused=True)),
    "add an app": ("enrol_totp", _confirm_app),
    "add an app at sign-in": ("enrol_at_sign_in", _enrol_at_sign_in),
    "remove the app": ("my_factors", lambda w, p: my_factors.remove_totp(w.env, p.caller, p.client_info)),
    "make recovery codes": ("my_factors", lambda w, p: my_factors.make_recovery_codes(w.env, p.caller, p.client_info)),
    "add a passkey": ("add_passkey", _add_a_passkey),
    "change a passkey": ("my_passkeys", _change_a_passkey),
    "import": ("import_accounts", _import),
    "invite": ("invite", lambda w, p: invite.invite(w.env, COMMAND_LINE, "A", p.account.email)),
    "accept an invitation": (
        "invite",
        lambda w, p: invite.accept_invitation(w.env, p.secrets[Purpose.INVITATION], NEW_PASSWORD),
    ),
    "set the email": (
        "set_email",
        lambda w, p: set_email.set_email(w.env, COMMAND_LINE, p.account, f"{new_id()}@example.com"),
    ),
    "try letters again": ("look_after_mail", lambda w, _: look_after_mail.retry_letters(w.env, None)),
    "sign out another": ("my_sessions", lambda w, p: my_sessions.end_one(w.env, p.caller, p.sessions[1].id)),
    "sign out others": ("my_sessions", lambda w, p: my_sessions.end_others(w.env, p.caller)),
    "refresh from elsewhere": ("refresh", _refresh_from_elsewhere),
    "refresh": ("refresh", lambda w, p: refresh.refresh(w.env, p.refresh_token(w), BROWSER)),
    "refresh as a thief": ("refresh", _refresh_reused),
    "register": ("register", _register),
    "reset": (
        "reset_password",
        lambda w, p: reset_password.reset_password(
            w.env, p.secrets[Purpose.RESET_PASSWORD], NEW_PASSWORD, p.client_info
        ),
    ),
    "sign in": ("sign_in", lambda w, p: sign_in.sign_in(w.env, p.account.email, PASSWORD, p.client_info)),
    "sign in by a code": ("email_code_sign_in", _sign_in_by_a_code),
    "sign in with a passkey": ("passkey_sign_in", _sign_in_with_a_passkey),
    "sign in wrongly": (
        "sign_in",
        lambda w, p: sign_in.sign_in(w.env, p.account.email, "wrong horse", p.client_info),
    ),
    "sign up": (
        "sign_up",
        lambda w, p: sign_up.sign_up(w.env, "Ada", p.account.email, NEW_PASSWORD, p.client_info),
    ),
    "sign out": ("sign_out", lambda w, p: sign_out.sign_out(w.env, p.caller)),
    "step up": ("step_up", lambda w, p: step_up.step_up_by_password(w.env, p.caller, PASSWORD, p.client_info)),
    "step up by a code": ("step_up", _step_up_by_code),
    "step up with a passkey": ("step_up", _step_up_with_a_passkey),
    "take over": ("take_over", lambda w, p: take_over.take_over(w.env, p.secrets[Purpose.VERIFY_EMAIL])),
    "verify": ("verify_email", lambda w, p: verify_email.verify_email(w.env, p.secrets[Purpose.VERIFY_EMAIL])),
    "begin to reset factors": ("reset_factors", _begin_a_reset),
    "reset factors": ("reset_factors", _finish_a_reset),
    "report lost factors": ("report_lost_factors", _report_lost_factors),
    "begin to reset factors by link": ("report_lost_factors", _begin_a_reset_by_link),
    "keep factors": ("cancel_factor_reset", _keep_factors),
    "keep factors by link": ("cancel_factor_reset", _keep_factors_by_link),
    "remove a new factor by link": ("remove_new_factor", _remove_a_new_factor),
    "clean up": ("clean_up", lambda w, _: clean_up.clean_up(w.env)),
    "purge events": ("purge", lambda w, _: watch_events.purge_old_events(w.env)),
}


def of_neighbour(act: Act) -> Act:
    """The same, by somebody who squats on an email that the person wants."""

    def acting(world: World, person: Person) -> Awaitable[Any]:
        assert person.neighbour is not None
        return act(world, person.neighbour)

    return acting
