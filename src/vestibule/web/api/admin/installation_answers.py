"""What the admin API answers about emails, keys and services. The OpenAPI document shows these classes."""

from pydantic import Field

from vestibule.flows.look_after_mail import OutboxPage
from vestibule.model.letters import LetterKind
from vestibule.model.outbox import LetterState, OutboxCounts
from vestibule.model.service_keys import ServiceKey
from vestibule.model.signing_keys import KeyState, KeyUse, SealedKey
from vestibule.web.api.answers import Answer, Success, timestamp


class ListedLetter(Answer):
    """An email that waits or was refused: to whom, how often it was tried, and in `fault` the mail server's words.
    `due_at` is when it is tried next, `refused_at` when it was refused for good.
    """

    id: str
    kind: LetterKind
    email: str | None
    queued_at: str = Field(json_schema_extra={"format": "date-time"})
    attempts: int
    due_at: str = Field(json_schema_extra={"format": "date-time"})
    refused_at: str | None
    fault: str | None

    @classmethod
    def of(cls, state: LetterState) -> "ListedLetter":
        return cls(
            id=state.letter.id,
            kind=state.letter.kind,
            email=state.letter.email,
            queued_at=timestamp(state.letter.created_at),
            attempts=state.letter.attempts,
            due_at=timestamp(state.due_at),
            refused_at=state.refused_at and timestamp(state.refused_at),
            fault=state.last_fault,
        )


class LettersData(Answer):
    letters: list[ListedLetter]
    waiting: int
    refused: int
    oldest_at: str | None = Field(description="Since when the oldest one waits.")
    next: str | None


class ListedLetters(Success):
    """The emails that wait or were refused, the oldest first. `next` is the cursor of the next ones."""

    data: LettersData

    @classmethod
    def of(cls, page: OutboxPage, counts: OutboxCounts) -> "ListedLetters":
        data = LettersData(
            letters=[ListedLetter.of(state) for state in page.letters],
            waiting=counts.waiting,
            refused=counts.refused,
            oldest_at=counts.oldest and timestamp(counts.oldest),
            next=page.next and page.next.to_cursor(),
        )
        return cls(data=data)


class RetriedData(Answer):
    retried: int


class LettersRetried(Success):
    """How many emails are tried again now."""

    data: RetriedData


class ListedKey(Answer):
    """A signing key. `use` is the kind of token; a `next` key is published, the `current` one signs, a `retired` one
    checks what it signed until `checks_until`.
    """

    kid: str
    use: KeyUse
    state: KeyState
    alg: str
    since: str = Field(json_schema_extra={"format": "date-time"})
    checks_until: str | None

    @classmethod
    def of(cls, key: SealedKey) -> "ListedKey":
        until = key.checks_until if key.state is KeyState.RETIRED else None
        return cls(
            kid=key.kid,
            use=key.use,
            state=key.state,
            alg=key.alg,
            since=timestamp(key.state_since),
            checks_until=until and timestamp(until),
        )


class KeysData(Answer):
    keys: list[ListedKey]


class ListedKeys(Success):
    """The signing keys; empty if the keys are given by settings."""

    data: KeysData


class ListedService(Answer):
    """A service that has a key."""

    name: str
    created_at: str = Field(json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, key: ServiceKey) -> "ListedService":
        return cls(name=key.name, created_at=timestamp(key.created_at))


class ServicesData(Answer):
    services: list[ListedService]


class ListedServices(Success):
    """The services that have a key, by name."""

    data: ServicesData


class NewServiceData(Answer):
    name: str
    key: str


class ServiceCreated(Success):
    """The new key of a service. It is not shown again: the database has only its digest."""

    data: NewServiceData
