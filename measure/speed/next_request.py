"""`python -m measure.speed.next_request [PAIRS]`: measure how much the time of the next request reveals who has an
account.

An attacker asks for a reset, or registers or signs in where accounts are concealed, then asks `/healthz/live` on the
same connection as fast as it answers, and notes the slowest answer: work that is done for known emails alone may still
go on. Known and unknown emails come in turn. The result is the share of pairs in which the known one was slower: 0.5
reveals nothing, 1.0 everything.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.mail_server import MailServer
from tests.harness.mail_server import running as receiving
from tests.harness.process import PASSWORD, UNLIMITED, Running, given_keys, register, serving

KNOWN, NOBODY = "known", "nobody"
_WARM_UP = 3  # pairs
_SETTLE_SECONDS = 3.0
# How many seconds to go on asking: as the first attack that was shown did, and until the letter has surely been sent.
WINDOWS = (0.045, 1.25)

CONCEALING = {"VESTIBULE_EMAIL_VERIFICATION": "mandatory"}


@dataclass(frozen=True)
class Question:
    """A request about an email whose answer must not reveal whether it has an account: `status` is the same for any
    email.
    """

    name: str
    path: str
    status: int
    body: dict[str, str] = field(default_factory=dict)
    """The members besides the email."""
    settings: dict[str, str] = field(default_factory=dict)


QUESTIONS = (
    Question("reset", "/api/auth/forgotpassword", 200),
    Question(
        "register",
        "/api/auth/register",
        201,
        {"name": "Ada Lovelace", "password": PASSWORD, "passwordConfirm": PASSWORD},
        CONCEALING,
    ),
    Question("sign-in", "/api/auth/login", 400, {"password": PASSWORD}, CONCEALING),
)


def main() -> None:
    """Measure, and print a line for each question, way of sending letters and window."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for question, mail in product(QUESTIONS, ("folder", "SMTP")):
        with _serving(mail, pairs, question) as server:
            told = _measured(server, pairs, question)
        for window in WINDOWS:
            known, nobody = ([slowest[window] for slowest in told[email]] for email in (KNOWN, NOBODY))
            print(
                f"{question.name}, {mail}, {window * 1000:.0f} ms, {pairs} pairs: AUC {auc(known, nobody):.2f}; median "
                f"slowest {_median(known):.1f} ms known, {_median(nobody):.1f} ms unknown",
                flush=True,
            )


def auc(ones: list[float], others: list[float]) -> float:
    """Return the share of all pairs in which the first is larger; equal pairs count half (Mann and Whitney's U)."""
    return sum((a > b) + (a == b) / 2 for a, b in product(ones, others)) / (len(ones) * len(others))


@contextmanager
def _serving(mail: str, pairs: int, question: Question) -> Iterator[Running]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="vestibule-bench-")))
        settings = {**given_keys(), **UNLIMITED, **question.settings}
        if mail == "SMTP":
            port = stack.enter_context(receiving(MailServer()))
            settings |= {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}
        server = stack.enter_context(serving(folder, **settings))
        with server.browser() as browser:
            for number in range(pairs + _WARM_UP):  # one letter to each, or the limits would keep them back
                register(browser, f"{KNOWN}{number}@example.com")
        time.sleep(_SETTLE_SECONDS)
        yield server


def _measured(server: Running, pairs: int, question: Question) -> dict[str, list[dict[float, float]]]:
    told: dict[str, list[dict[float, float]]] = {KNOWN: [], NOBODY: []}
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    for number in range(pairs + _WARM_UP):
        for who in (KNOWN, NOBODY) if number % 2 else (NOBODY, KNOWN):
            slowest = _slowest(connection, question, f"{who}{number}@example.com")
            if number >= _WARM_UP:
                told[who].append(slowest)
    connection.close()
    return told


def _slowest(connection: HTTPConnection, question: Question, email: str) -> dict[float, float]:
    body = json.dumps({"email": email, **question.body})
    connection.request("POST", question.path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == question.status
    began, slowest = time.perf_counter(), dict.fromkeys(WINDOWS, 0.0)
    while (asked := time.perf_counter()) < began + WINDOWS[-1]:
        connection.request("GET", "/healthz/live")
        connection.getresponse().read()
        took = (time.perf_counter() - asked) * 1000
        for window in WINDOWS:
            if asked < began + window:
                slowest[window] = max(slowest[window], took)
    return slowest


def _median(numbers: list[float]) -> float:
    return sorted(numbers)[len(numbers) // 2]


if __name__ == "__main__":
    main()
