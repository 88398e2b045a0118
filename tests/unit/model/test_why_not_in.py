"""Why not in: each reason by what makes it, and of two the heavier one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.storage import NOW, an_account
from vestibule.model import reasons as why
from vestibule.model import typos
from vestibule.model.events import Event, EventKind
from vestibule.model.factor_resets import AskedBy, FactorReset
from vestibule.model.factors import FactorKind
from vestibule.model.letters import LetterKind
from vestibule.model.pauses import AttemptKind, Pause
from vestibule.model.people import FactorList, LetterFate, LetterRecord, ListedFactor, Person
from vestibule.model.typos import differing, nearest
from vestibule.model.why_not_in import why_not_in

ACCOUNT = an_account(verified=True)
AGO = NOW - timedelta(hours=2)
LONG_AGO = NOW - timedelta(days=30)
NO_FACTORS = FactorList((), 0, 0)
APP = ListedFactor(FactorKind.TOTP, None, LONG_AGO, LONG_AGO)
RESET = FactorReset(ACCOUNT.id, AGO, NOW + timedelta(hours=22), AskedBy.OPERATOR)


def a_person(account: Any = ACCOUNT, factors: FactorList = NO_FACTORS, **members: Any) -> Person:
    return Person(account, True, factors, **members)


def a_letter(kind: LetterKind, fate: LetterFate, fault: str | None = None) -> LetterRecord:
    return LetterRecord("a letter", kind, AGO, fate, AGO, fault)


def event(kind: EventKind, at: Any = AGO) -> Event:
    return Event(at, kind, ACCOUNT.id)


def paused(of: AttemptKind) -> FactorList:
    return FactorList((), 0, 0, paused=(Pause(of, NOW, AGO),))


UNVERIFIED = replace(ACCOUNT, verified=False)
REFUSED = a_letter(LetterKind.VERIFY_EMAIL, LetterFate.REFUSED, "550 full")
SENT = a_letter(LetterKind.RESET_PASSWORD, LetterFate.SENT)
DELAYED = a_letter(LetterKind.RESET_PASSWORD, LetterFate.DELAYED, "no route")
IN_ORDER = [
    (
        {"account": replace(ACCOUNT, disabled_at=AGO, disabled_reason="spam")},
        why.Disabled("spam", AGO),
    ),
    ({"account": UNVERIFIED, "letters": (REFUSED,)}, why.LetterNotDelivered(REFUSED)),
    ({"factors": FactorList((), 0, 0, paused=(Pause(AttemptKind.PASSWORD, None),))}, why.PausedPasswords(None, {})),
    ({"factors": FactorList((), 0, 0, paused=(Pause(AttemptKind.CODE, NOW),))}, why.PausedSecondFactor(NOW, {})),
    ({"factors": FactorList((), 0, 0, RESET)}, why.FactorsGoSoon(RESET.due_at)),
    ({"letters": (SENT,)}, why.ResetLettersUnread(AGO)),
    ({"factors": paused(AttemptKind.EMAIL_CODE)}, why.PausedEmailCodes(NOW, {})),
    ({"factors": paused(AttemptKind.CODE_LETTER)}, why.LettersPaused(AttemptKind.CODE_LETTER, NOW)),
    ({"events": (event(EventKind.REFRESH_TOKEN_REUSED),)}, why.SessionReused(AGO)),
    ({"factors": FactorList((APP,), 0, 8)}, why.SecondFactorLost(LONG_AGO)),
    ({"account": replace(ACCOUNT, password_hash=None)}, why.NoPasswordYet()),
    ({"events": (event(EventKind.SIGNED_IN),)}, why.NothingInTheWay(AGO)),
]
MORE = [
    ({"factors": paused(AttemptKind.RESET_LETTER)}, why.LettersPaused(AttemptKind.RESET_LETTER, NOW)),
    ({"factors": paused(AttemptKind.VERIFICATION_LETTER)}, why.NothingInTheWay(None)),
    ({"account": UNVERIFIED}, why.NeverVerified(None)),
    ({"letters": (DELAYED,)}, why.LetterNotDelivered(DELAYED)),
    ({"letters": (SENT,), "events": (event(EventKind.PASSWORD_RESET),)}, why.NothingInTheWay(None)),
    ({"letters": (SENT,), "events": (event(EventKind.SIGNED_IN),)}, why.NothingInTheWay(AGO)),
    (
        {"events": (event(EventKind.SIGNED_IN), event(EventKind.REFRESH_TOKEN_REUSED, LONG_AGO))},
        why.NothingInTheWay(AGO),
    ),
    (
        {"factors": FactorList((APP,), 0, 8), "events": (event(EventKind.SIGNED_IN),)},
        why.NothingInTheWay(AGO, second_step=True),
    ),
    (
        {
            "factors": FactorList((APP,), 0, 8),
            "events": (event(EventKind.SECOND_FACTOR_REFUSED, NOW), event(EventKind.SIGNED_IN)),
        },
        why.SecondFactorLost(LONG_AGO),
    ),
    ({"factors": FactorList((), 1, 0)}, why.SecondFactorLost(None)),
]


@pytest.mark.parametrize(("members", "reason"), [*IN_ORDER, *MORE], ids=lambda each: type(each).__name__)
def test_o42_each_reason_has_what_makes_it(members: dict[str, Any], reason: why.Reason) -> None:
    assert why_not_in(a_person(**members), NOW) == reason


@pytest.mark.parametrize("lighter", range(1, len(IN_ORDER)))
def test_o42_a_disabled_account_stays_out_whatever_else_there_is(lighter: int) -> None:
    (disabled, reason), (members, _) = IN_ORDER[0], IN_ORDER[lighter]
    assert why_not_in(a_person(**{**members, **disabled}), NOW) == reason


def test_o42_where_nobody_has_to_verify_it_is_no_reason() -> None:
    person = replace(a_person(account=UNVERIFIED), must_verify=False)
    assert why_not_in(person, NOW) == why.NothingInTheWay(None)


TYPED = {
    ("ada@example.com", "ada@exmaple.com"): 1,
    ("ada@gmail.com", "ada@gmial.com"): 1,
    ("ada@example.com", "adaa@example.co"): 2,
    ("ada@example.com", "ada@example.com"): 0,
    ("ada@example.com", "bob@example.com"): 3,
    ("ada@example.com", "ada@example.organisation"): 3,
    ("a@b.de", "x@y.fr"): 3,
}


@pytest.mark.parametrize(("emails", "number"), TYPED.items(), ids=str)
def test_o42_what_was_typed_wrong_differs_by_little(emails: tuple[str, str], number: int) -> None:
    assert (differing(*emails), differing(*reversed(emails))) == (number, number)


def test_o42_the_nearest_email_is_meant() -> None:
    near, nearer = an_account(email="adam@exmaple.com"), an_account(email="ada@exmaple.com")
    assert nearest("ada@example.com", [near, nearer]) is nearer
    assert nearest("ada@example.com", [an_account(email="bob@example.com")]) is None
    assert nearest("ada@example.com", []) is None


ALIKE = "{}@" + "b" * 60 + "." + "c" * 60 + "." + "d" * 55 + "{:04}.com"


def test_o99_emails_that_are_all_alike_are_not_compared_without_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """O99: two thousand of them would stop the server for a minute. Those of people are all compared."""
    compared: list[int] = []
    compare = typos._compare

    def counting(one: str, other: str) -> tuple[int, int]:
        answer = compare(one, other)
        compared.append(answer[1])
        return answer

    monkeypatch.setattr(typos, "_compare", counting)
    alike = [an_account(email=ALIKE.format("a" * 58, number)) for number in range(2000)]
    nearest(ALIKE.format("a" * 58, 9999), alike)
    assert sum(compared) < 25_000
    compared.clear()
    people = [an_account(email=f"person-{number}@example.com") for number in range(2000)]
    meant = an_account(email="ada@exmaple.com")
    assert nearest("ada@example.com", [*people, meant]) is meant
    assert len(compared) == len(people) + 1
