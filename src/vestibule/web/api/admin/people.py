"""Handlers that find people for operators."""

from starlette.responses import Response

from vestibule.flows.find_people import find_people
from vestibule.web.api import answers
from vestibule.web.api.admin import people_answers
from vestibule.web.api.admin.cursors import position_of
from vestibule.web.caller import EnvDep


async def list_people(env: EnvDep, search: str = "", after: str = "") -> Response:
    """List up to 50 accounts: the one with the id `search`; or those whose email begins so, by email, then those whose
    name does, by name; or all. Send `next` as `after` for the next ones, until it is null.
    """
    found = await find_people(env, search, position_of(after))
    listed = [people_answers.ListedPerson.of(account) for account in found.accounts]
    onward = found.next.to_cursor() if found.next else None
    return answers.as_json(people_answers.People(data=people_answers.PeopleData(people=listed, next=onward)))
