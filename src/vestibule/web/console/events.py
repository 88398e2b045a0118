"""Find events on the console: a form that narrows them, a sentence for each, and their export as a file."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.search_events import EventsPage, search_events
from vestibule.model.events import EventKind
from vestibule.translations.marking import _
from vestibule.web.api.admin.event_query import AskedEvents, ReadQuery, read_query, require_query
from vestibule.web.api.admin.events import EventsAsked, exported
from vestibule.web.caller import EnvDep
from vestibule.web.console.event_words import HAPPENED, details_of, remark_on
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.pages import render, return_to
from vestibule.web.pages.words import Sentence

EVENTS = "/admin/events"
EXPORT = f"{EVENTS}/export"
_WRONG = 400
_NOBODY: Sentence = (_("Nobody has this email address or user ID."), {})
_NO_NETWORK: Sentence = (_("Enter one network address, such as 192.0.2.7 or 2001:db8::7."), {})
_NO_TIME: Sentence = (_("Enter a date and a time."), {})
_NO_KIND: Sentence = (_("There is no such kind of event."), {})
_WHAT_IS_WRONG = {"person": _NOBODY, "kind": _NO_KIND, "network": _NO_NETWORK, "since": _NO_TIME, "until": _NO_TIME}
_NO_EVENTS = EventsPage((), {}, None)


async def show(request: Request, env: EnvDep, asked: EventsAsked) -> Response:
    """Show a page of the events that match, or none and what is wrong with the form. Raises `CursorInvalid`."""
    read = await read_query(env, asked)
    found = _NO_EVENTS if read.wrong else await search_events(env, read.wanted, read.start)
    return render.page(
        request,
        "console/events.html",
        _WRONG if read.wrong else 200,
        faults={name: _WHAT_IS_WRONG[name] for name in read.wrong},
        typed=_typed(asked, read),
        kinds=_kinds(request),
        happened=[
            (
                event,
                render.say(request, HAPPENED.get(event.kind, event.kind.value)),
                remark_on(request, event),
                details_of(event),
            )
            for event in found.events
        ],
        emails=found.emails,
        newest=_link(EVENTS, replace(asked, after="")),
        older=found.next and _link(EVENTS, replace(asked, after=found.next.to_cursor())),
        export=_link(EXPORT, replace(asked, after="")),
        # Whether the form asks for less than all events, and whether this is a page after the first.
        narrowed=any(asdict(replace(asked, after="")).values()),
        later=read.start is not None,
    )


async def take_along(env: EnvDep, operator: ActingOnPage, asked: EventsAsked) -> Response:
    """Stream the events that match as a file; raises `CursorInvalid`, `PersonUnknown` or `FilterInvalid`."""
    return await exported(env, operator, await require_query(env, asked))


def _kinds(request: Request) -> Sequence[tuple[str, str]]:
    """Return each kind of event with its sentence, sorted by the sentences."""
    said = [(kind.value, render.say(request, HAPPENED.get(kind, kind.value))) for kind in EventKind]
    return sorted(said, key=lambda kind: kind[1].casefold())


def _typed(asked: AskedEvents, read: ReadQuery) -> dict[str, str]:
    """Return the values of the form's fields: what was typed, with times in the format of `datetime-local` fields."""
    times = {"since": read.wanted.since, "until": read.wanted.until}
    return {**asdict(asked), **{name: _in_field(at) for name, at in times.items() if at is not None}}


def _in_field(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="seconds" if at.second else "minutes")


def _link(path: str, asked: AskedEvents) -> str:
    return return_to.with_query(path, **asdict(asked))
