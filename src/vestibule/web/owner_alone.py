"""Keep operators who act as somebody else (decision 0060) from what is the owner's alone: every line of the URL map
that finds a caller, except those that say `while_acting`.
"""

from collections.abc import Iterator, Mapping

from vestibule.model.operator_errors import NotWhileActing
from vestibule.web.caller import SignedInCaller, signed_in
from vestibule.web.map_lines import Guard, Line
from vestibule.web.pages.browser_session import BrowserCaller, browser_session, session_form


async def owner(caller: SignedInCaller) -> None:
    """Raise `NotWhileActing` if the caller is an operator who acts as the account's owner."""
    if caller.actor_id is not None:
        raise NotWhileActing


async def page_owner(caller: BrowserCaller) -> None:
    """Raise `NotWhileActing` as `owner` does, for a page."""
    if caller.actor_id is not None:
        raise NotWhileActing


_BEHIND: Mapping[Guard, Guard] = {signed_in: owner, browser_session: page_owner, session_form: page_owner}
"""For each guard that finds the caller: the guard to run right after it."""


def guards_of(line: Line) -> Iterator[Guard]:
    """Yield the guards of a line. Right after the guard that finds the caller comes the one that refuses operators who
    act, so that they get this refusal before any other.
    """
    for guard in line.guards:
        yield guard
        if guard in _BEHIND and not line.while_acting:
            yield _BEHIND[guard]
