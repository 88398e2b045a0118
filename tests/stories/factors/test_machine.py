"""Sign-ins, second steps, resets, changes and removals in any order: nobody gets a session without every proof.

What must happen is worked out beside the server, from what was typed and when. What the server does is compared.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.harness.backends import Backend
from tests.harness.rounds import rounds
from tests.harness.world import World, world_on
from tests.stories.factors.apps import LOGIN, SECOND, TOTP, App, confirm, scan
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Account
from vestibule.model.factor_attempts import SECOND_FACTOR_LIMITS
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.pending_sign_ins import LIFETIME, OF_ACCOUNT
from vestibule.protocol.refusals import TYPED_AGAIN

SETTINGS = settings(
    max_examples=rounds(200, suite=15),
    stateful_step_count=30,
    phases=[Phase.generate],  # to shrink a story takes minutes
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
BROWSERS = st.integers(0, 3)
_people = count()


@dataclass
class First:
    """A first step that was taken: with which password, when, and in which life of the account."""

    epoch: int
    at: float
    number: int


@dataclass
class Known:
    """What is true of the account, worked out from what was done."""

    password: str = "correct horse"
    epoch: int = 0
    disabled: bool = False
    app: App | None = None
    last_step: int = 0
    codes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    firsts: list[First] = field(default_factory=list)

    @property
    def needs_second(self) -> bool:
        return self.app is not None

    def new_epoch(self) -> None:
        self.epoch += 1


class SignIns(RuleBasedStateMachine):
    """Four browsers and one account."""

    def __init__(self, runner: asyncio.Runner, world: World) -> None:
        super().__init__()
        self.run, self.world = runner.run, world
        self.email = f"person{next(_people)}@example.com"
        self.known, self.wrong, self.numbers = Known(), 0, count()
        self.firsts: dict[int, First | None] = {}

    @initialize()
    def begin(self) -> None:
        self.run(self.world.register(self.email))
        self.browsers = [self.run(self.world.client()) for _ in range(4)]
        self.run(self.browsers[0].get(f"/api/auth/verifyemail/{self.world.secret(LetterKind.VERIFY_EMAIL)}"))
        self.type_a_password(0, right=True)
        self.add_an_app(0)

    def found(self) -> Account:
        account = self.run(find_account(self.world.env, self.email))
        assert account is not None
        return account

    def now(self) -> float:
        return self.world.clock.now().timestamp()

    def post(self, browser: int, path: str, **body: Any) -> httpx.Response:
        return self.run(self.browsers[browser].post(path, json=body))

    def signed_in(self, browser: int) -> bool:
        answer = self.run(self.browsers[browser].get("/api/users/me"))
        return bool(answer.status_code == 200)

    @rule(browser=BROWSERS, right=st.booleans())
    def type_a_password(self, browser: int, right: bool) -> None:
        was = self.signed_in(browser)
        password = self.known.password if right else "another horse"
        answer = self.post(browser, LOGIN, email=self.email, password=password)
        if not right or self.known.disabled:
            assert answer.status_code == 400, answer.text
        elif self.known.needs_second:
            assert answer.json()["code"] == "second_factor_required"
            self.firsts[browser] = First(self.known.epoch, self.now(), next(self.numbers))
            self.known.firsts.append(self.firsts[browser])  # type: ignore[arg-type]
        else:
            assert answer.status_code == 200, answer.text
            return
        assert self.signed_in(browser) == was, "no session began"

    @rule(browser=BROWSERS, kind=st.sampled_from(["now", "before", "old", "wrong", "recovery", "used", "nonsense"]))
    def type_a_code(self, browser: int, kind: str) -> None:
        code, good = self.code(kind)
        was, first = self.signed_in(browser), self.firsts.get(browser)
        answer = self.post(browser, SECOND, code=code)
        told = "ok" if answer.status_code == 200 else answer.json()["code"]
        if not self.waits(first):
            assert told == "no_pending_sign_in"
        elif told == "second_factor_paused":
            assert self.wrong >= SECOND_FACTOR_LIMITS.of_a_device.at_most
        else:
            assert told == "ok" if good else told in TYPED_AGAIN
        if told == "ok":
            self.complete(browser, kind, code)
        else:
            self.wrong += told in TYPED_AGAIN
            assert self.signed_in(browser) == was, "no session began"

    def code(self, kind: str) -> tuple[str, bool]:
        """A code of this kind, and whether it is good now."""
        known, app = self.known, self.known.app
        if kind in {"now", "before", "old"} and app is not None:
            away = {"now": 0, "before": -1, "old": -3}[kind]
            step = int(self.now() // 30) + away
            return app.code(away), kind != "old" and step > known.last_step
        unused = [code for code in known.codes if code not in known.used]
        if kind == "recovery" and unused:
            return unused[0], known.needs_second
        if kind == "used" and known.used:
            return min(known.used), False
        wrong = "nonsense" if app is None or kind == "nonsense" else f"{(int(app.code()) + 500_000) % 1_000_000:06}"
        return wrong, False

    def waits(self, first: First | None) -> bool:
        if first is None or self.known.disabled or first.epoch != self.known.epoch:
            return False
        newest = sorted(self.known.firsts, key=lambda each: each.number)[-OF_ACCOUNT:]
        return first in newest and self.now() < first.at + LIFETIME.total_seconds()

    def complete(self, browser: int, kind: str, code: str) -> None:
        first = self.firsts[browser]
        assert first is not None
        assert self.signed_in(browser)
        self.known.firsts.remove(first)
        self.firsts[browser], self.wrong = None, 0
        if kind == "recovery":
            self.known.used.add(code)
        else:
            self.known.last_step = int(self.now() // 30) - (kind == "before")

    @precondition(lambda self: self.known.app is not None and not self.known.disabled)
    @rule(browser=BROWSERS, other=BROWSERS, kind=st.sampled_from(["now", "recovery"]), again=st.booleans())
    def sign_in_and_try_it_again(self, browser: int, other: int, kind: str, again: bool) -> None:
        """In two steps; then the same handle with a new code, or the same code with a new handle."""
        self.type_a_password(browser, right=True)
        handle, (code, _) = self.browsers[browser].cookies["second_factor"], self.code(kind)
        self.type_a_code(browser, kind)
        if self.firsts.get(browser) is not None:
            return
        if again:
            self.world.clock.advance(seconds=30)
            stolen = {"Cookie": f"second_factor={handle}"}
            client, (code, _) = self.run(self.world.client()), self.code("now")
            answer = self.run(client.post(SECOND, json={"code": code}, headers=stolen))
            assert answer.json()["code"] == "no_pending_sign_in"
        else:
            self.type_a_password(other, right=True)
            answer = self.post(other, SECOND, code=code)
            assert answer.json()["code"] in {*TYPED_AGAIN, "second_factor_paused"}
            self.wrong += 1

    @precondition(lambda self: self.known.app is None)
    @rule(browser=BROWSERS)
    def add_an_app(self, browser: int) -> None:
        if self.fresh(browser):
            app = self.run(scan(self.world, self.browsers[browser]))
            added = self.run(confirm(self.browsers[browser], app.code()))
            self.known.app, self.known.codes, self.known.used = app, added["recovery_codes"], set()
            self.known.last_step = int(self.now() // 30)

    @rule(browser=st.sampled_from([2, 3]))
    def remove_the_app(self, browser: int) -> None:
        if self.known.app is not None and self.fresh(browser):
            assert self.run(self.browsers[browser].delete(TOTP)).status_code == 200
            self.known.app, self.known.codes = None, []

    def fresh(self, browser: int) -> bool:
        """Whether this browser may change factors: it has signed in a moment ago, by all that there is."""
        answer = self.run(self.browsers[browser].post("/api/users/me/factors/totp"))
        return bool(answer.status_code == 200)

    @rule(browser=BROWSERS)
    def change_the_password(self, browser: int) -> None:
        new = f"battery staple {self.known.epoch}"
        body = {"currentPassword": self.known.password, "password": new, "passwordConfirm": new}
        answer = self.run(self.browsers[browser].patch("/api/users/me/password", json=body))
        if answer.status_code == 200:
            self.known.password = new
            self.known.new_epoch()

    @precondition(lambda self: not self.known.disabled)
    @rule(browser=BROWSERS)
    def reset_the_password(self, browser: int) -> None:
        self.world.clock.advance(hours=3)
        before = len(self.world.mailer.letters)
        self.post(browser, "/api/auth/forgotpassword", email=self.email)
        self.run(self.world.deliver())
        if any(letter.kind is LetterKind.RESET_PASSWORD for letter in self.world.mailer.letters[before:]):
            new = f"correct battery {self.known.epoch}"
            path = f"/api/auth/resetpassword/{self.world.secret(LetterKind.RESET_PASSWORD)}"
            body = {"password": new, "passwordConfirm": new}
            assert self.run(self.browsers[browser].patch(path, json=body)).status_code == 200
            self.known.password = new
            self.known.new_epoch()
            assert not any(self.signed_in(each) for each in range(4)), "a reset signs nobody in"

    @rule(seconds=st.sampled_from([1, 30, 90, 599, 601]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds=seconds)

    @rule()
    def disable_or_enable(self) -> None:
        change: Callable[..., Any] = enable_account if self.known.disabled else disable_account
        self.run(change(self.world.env, COMMAND_LINE, self.found()))
        self.known.disabled = not self.known.disabled
        self.known.new_epoch()


@pytest.fixture
def sign_ins(backend: Backend) -> Iterator[Callable[[], SignIns]]:
    """Makes people, each of them new, on each backend."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        world = runner.run(stack.enter_async_context(world_on(backend)))
        try:
            yield lambda: SignIns(runner, world)
        finally:
            runner.run(stack.aclose())


def test_f6_no_session_begins_without_every_proof(sign_ins: Callable[[], SignIns]) -> None:
    """F6, F7, M9: whatever is done, in whatever order and in whichever browser."""
    run_state_machine_as_test(sign_ins, settings=SETTINGS)
