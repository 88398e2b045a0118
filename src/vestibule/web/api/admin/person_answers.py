"""What the admin API answers about one person. The OpenAPI document shows these classes with their docstrings."""

import re

from pydantic import Field

from vestibule.flows.see_person import MOST_SHOWN
from vestibule.model.events import Event, EventKind
from vestibule.model.factors import FactorKind
from vestibule.model.letters import LetterKind
from vestibule.model.pauses import AttemptKind, Pause
from vestibule.model.people import LetterFate, LetterRecord, ListedFactor, Person
from vestibule.model.reasons import Mend, Reason
from vestibule.model.sessions import Session
from vestibule.web.api.admin.people_answers import ListedPerson
from vestibule.web.api.answers import Answer, Success, timestamp


class WhyNotIn(Answer):
    """The heaviest reason why the person cannot sign in, such as `paused_passwords`; `nothing_in_the_way` if there is
    none. `mend` is the act that mends it; null if none does.
    """

    reason: str
    mend: Mend | None

    @classmethod
    def of(cls, reason: Reason) -> "WhyNotIn":
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(reason).__name__).lower()  # `PausedPasswords`: paused_passwords
        return cls(reason=name, mend=reason.mend)


class PersonFactor(Answer):
    """A second factor; only a passkey has a name."""

    kind: FactorKind
    name: str | None
    added_at: str
    last_used_at: str | None

    @classmethod
    def of(cls, factor: ListedFactor) -> "PersonFactor":
        used = factor.last_used_at and timestamp(factor.last_used_at)
        return cls(kind=factor.kind, name=factor.name, added_at=timestamp(factor.added_at), last_used_at=used)


class PersonPause(Answer):
    """What is not checked or not sent now: attempts on devices that are not known, or emails that were asked for too
    often. `since`: when the last one was counted. `until` null: until an unlock, or for passwords a reset.
    """

    of: AttemptKind
    since: str | None
    until: str | None

    @classmethod
    def of_pause(cls, pause: Pause) -> "PersonPause":
        since, until = (moment and timestamp(moment) for moment in (pause.since, pause.until))
        return cls(of=pause.of, since=since, until=until)


class PersonLetter(Answer):
    """An email. `at` is when its fate was settled, or when it is tried next; `fault` has the mail server's words."""

    kind: LetterKind
    queued_at: str
    fate: LetterFate
    at: str
    fault: str | None

    @classmethod
    def of(cls, letter: LetterRecord) -> "PersonLetter":
        queued, at = timestamp(letter.queued_at), timestamp(letter.at)
        return cls(kind=letter.kind, queued_at=queued, fate=letter.fate, at=at, fault=letter.fault)


class PersonSession(Answer):
    """A signed-in device; with `actor_id`, the session of an operator who acts as the person."""

    id: str
    device: str
    address: str
    created_at: str
    last_seen_at: str
    actor_id: str | None

    @classmethod
    def of(cls, session: Session) -> "PersonSession":
        return cls(
            id=session.id,
            device=session.device.user_agent,
            address=session.device.network_address,
            created_at=timestamp(session.created_at),
            last_seen_at=timestamp(session.last_seen_at),
            actor_id=session.actor_id,
        )


class PersonEvent(Answer):
    """What happened. `actor_id` is the account of the operator who did it, if one did."""

    at: str
    kind: EventKind
    address: str | None
    actor_id: str | None
    detail: dict[str, str]

    @classmethod
    def of(cls, event: Event) -> "PersonEvent":
        return cls(
            at=timestamp(event.at),
            kind=event.kind,
            address=event.network_address,
            actor_id=event.actor_id,
            detail=event.detail,
        )


class PersonData(Answer):
    """A person: the account, why they cannot sign in, and the latest of everything, the newest first."""

    account: ListedPerson
    disabled_reason: str | None
    why_not_in: WhyNotIn
    factors: list[PersonFactor]
    recovery_codes_left: int
    paused: list[PersonPause]
    factors_removed_at: str | None = Field(description="When a reset that is under way removes the factors.")
    letters: list[PersonLetter]
    sessions: list[PersonSession]
    live_sessions: int
    events: list[PersonEvent]

    @classmethod
    def of(cls, person: Person, reason: Reason) -> "PersonData":
        reset = person.factors.reset
        return cls(
            account=ListedPerson.of(person.account),
            disabled_reason=person.account.disabled_reason,
            why_not_in=WhyNotIn.of(reason),
            factors=[PersonFactor.of(factor) for factor in person.factors.factors],
            recovery_codes_left=person.factors.recovery_codes_left,
            paused=[PersonPause.of_pause(pause) for pause in person.factors.paused],
            factors_removed_at=timestamp(reset.due_at) if reset else None,
            letters=[PersonLetter.of(letter) for letter in person.letters],
            sessions=[PersonSession.of(session) for session in person.live],
            live_sessions=person.live_sessions,  # their number; `person.live` has only the latest of them
            events=[PersonEvent.of(event) for event in person.events[:MOST_SHOWN]],
        )


class ShownPerson(Success):
    """One person."""

    data: PersonData
