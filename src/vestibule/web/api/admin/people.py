"""Handlers that find people for operators."""

from starlette.responses import Response

from vestibule.flows.create_account import create_account
from vestibule.flows.find_people import find_people
from vestibule.flows.invite import invite
from vestibule.flows.see_person import see_person
from vestibule.model.accounts import Account, Role
from vestibule.model.operator_errors import PersonUnknown
from vestibule.model.why_not_in import why_not_in
from vestibule.web.api import answers
from vestibule.web.api.admin import admin_bodies, people_answers, person_answers
from vestibule.web.api.admin.cursors import position_of
from vestibule.web.body import Sent
from vestibule.web.caller import EnvDep
from vestibule.web.operator_guard import ActingOperator

_CREATED = 201


async def list_people(env: EnvDep, search: str = "", after: str = "") -> Response:
    """List up to 50 accounts: the one with the id `search`; or those whose email begins with it, in the order of
    emails, then those whose name does, in the order of names; all without `search`. Send `next` as `after` for the next
    ones, until it is null.
    """
    found = await find_people(env, search, position_of(after))
    listed = [people_answers.ListedPerson.of(account) for account in found.accounts]
    onward = found.next.to_cursor() if found.next else None
    return answers.as_json(people_answers.People(data=people_answers.PeopleData(people=listed, next=onward)))


async def create_person(env: EnvDep, operator: ActingOperator, sent: Sent[admin_bodies.Create]) -> Response:
    """Create an account with a verified email. Nobody knows its password: send its owner a link for one."""
    account, _ = await create_account(env, operator, sent.called, sent.email, Role(sent.role))
    return _one(account)


async def invite_person(env: EnvDep, operator: ActingOperator, sent: Sent[admin_bodies.Invite]) -> Response:
    """Create an account and mail its owner a link, for seven days, that verifies the email and sets a password. Send it
    again to mail another link.
    """
    return _one(await invite(env, operator, sent.called, sent.email))


def _one(account: Account) -> Response:
    data = people_answers.OnePersonData(person=people_answers.ListedPerson.of(account))
    return answers.as_json(people_answers.OnePerson(data=data), _CREATED)


async def show_person(env: EnvDep, account_id: str) -> Response:
    """Show a person: why they cannot sign in, and the latest of everything about the account."""
    person = await see_person(env, account_id)
    if person is None:
        raise PersonUnknown
    reason = why_not_in(person, env.clock.now())
    return answers.as_json(person_answers.ShownPerson(data=person_answers.PersonData.of(person, reason)))
