"""An account that is deleted while something is decided about it: that is refused, as for one that never was there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.harness.world import World
from tests.stories.races.contenders import CONTENDERS
from tests.stories.races.people import PASSWORD, Person, people
from vestibule.flows import change_email, deliver
from vestibule.flows.delete_account import delete_account
from vestibule.flows.login_attempt import record_failed_attempt
from vestibule.model.errors import Refusal
from vestibule.model.letters import LetterKind, NotSent, RefusedForGood
from vestibule.model.login_attempts import LoginAttempt, counters_of_attempts
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.outbox import Delivery
from vestibule.model.store import Ports
from vestibule.storage.sql.schema import events

# They make an account, or do nothing that needs one.
_NEED_NONE = {
    "ask for a code",
    "ask for a reset",
    "choose a language",
    "clean up",
    "create",
    "delete",
    "disable",
    "enable",
    "fail to deliver",
    "import",
    "invite",
    "mail a link",
    "mark verified",
    "purge events",
    "refresh as a thief",
    "register",
    "set custom roles",
    "set the email",
    "set the role",
    "sign out",
    "sign up",
    "try letters again",
    "unlock",
}


_MOST_TRANSACTIONS = 12


class DeletingMailer:
    """Deletes the account while its letter is handed over; then takes the letter, or does not."""

    def __init__(self, world: World, person: Person, fault: Exception | None) -> None:
        self._world, self._person, self._fault = world, person, fault

    async def send(self, letter: Any) -> str:
        await delete_account(self._world.env, COMMAND_LINE, self._person.account)
        if self._fault is not None:
            raise self._fault
        return "taken"


async def named(world: World, person: Person) -> int:
    """How many events are about the person."""
    about = select(func.count()).where(events.c.account_id == person.account.id)
    async with world.engines.sqlalchemy_reading() as connection:
        return int((await connection.execute(about)).scalar_one())


@pytest.mark.parametrize("name", CONTENDERS)
async def test_d4_every_flow_refuses_who_is_gone(world: World, name: str) -> None:
    (person,) = await people(world, [False])
    await delete_account(world.env, COMMAND_LINE, person.account)
    try:
        done = await CONTENDERS[name][1](world, person)
    except Refusal:
        return
    needs_none = name in _NEED_NONE or done in (Delivery.NOBODY, 0)
    assert needs_none, done
    assert await named(world, person) == 0


class Vanishing:
    """A store in which the account is deleted just before a flow begins its transaction with this number."""

    def __init__(self, world: World, person: Person, number: int) -> None:
        self._env, self._person, self._left = world.env, person, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env.store, name)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Ports]:
        self._left -= 1
        if not self._left:
            await delete_account(self._env, COMMAND_LINE, self._person.account)
        async with self._env.store.transaction() as tx:
            yield tx

    @property
    def reached(self) -> bool:
        return self._left <= 0


@pytest.mark.parametrize("name", CONTENDERS)
async def test_d4_every_flow_refuses_who_goes_between_its_transactions(world: World, name: str) -> None:
    """D4: whatever it has decided before."""
    untouched = world.env
    for number, person in enumerate(await people(world, [False] * _MOST_TRANSACTIONS), start=2):
        store = Vanishing(world, person, number)
        world.env = replace(untouched, store=store)
        with suppress(Refusal):
            await CONTENDERS[name][1](world, person)
        world.env = untouched
        if not store.reached:
            return
        assert await named(world, person) == 0
    pytest.fail(f"more than {_MOST_TRANSACTIONS} transactions")


async def test_d4_a_wrong_password_is_recorded_of_nobody(world: World) -> None:
    (person,) = await people(world, [False])
    await delete_account(world.env, COMMAND_LINE, person.account)
    counters = counters_of_attempts(person.account, person.account.email, None, world.env.policy.login_attempts)
    attempt = LoginAttempt(counters, 1)
    await record_failed_attempt(world.env, person.account, attempt, person.client_info)
    assert await named(world, person) == 0
    async with world.engines.sqlalchemy_reading() as connection:
        of_nobody = select(func.count()).where(events.c.kind == "sign_in_refused", events.c.account_id.is_(None))
        assert (await connection.execute(of_nobody)).scalar_one() == 1


async def test_d4_a_new_email_is_refused_like_a_wrong_password(world: World) -> None:
    (person,) = await people(world, [False])
    await delete_account(world.env, COMMAND_LINE, person.account)
    with pytest.raises(Refusal):
        await change_email.request_change(world.env, person.caller, PASSWORD, "new@example.com", person.client_info)


@pytest.mark.parametrize("fault", [None, NotSent("451 later"), RefusedForGood("550 no such mailbox")], ids=str)
async def test_d4_a_letter_outlives_nobody(world: World, fault: Exception | None) -> None:
    """D4: whatever the mail server says of it meanwhile."""
    (person,) = await people(world, [False])
    env = replace(world.env, mailer=DeletingMailer(world, person, fault))
    await deliver.deliver(env, person.letters[LetterKind.VERIFY_EMAIL])
    assert await named(world, person) == 0
