"""Every error of the kit reaches another process as itself, ends in `Error`, and says its part in one shape."""

import copy
import importlib
import multiprocessing
import pickle
import pkgutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

import vestibule.client
from tests.harness.servers import WAIT_SECONDS
from tests.unit.client.knowing import Knowing
from vestibule.client import (
    Caller,
    CallerRefusedError,
    EnrolmentRequiredError,
    InsufficientAuthenticationError,
    NotReachedError,
    NotStoredError,
    PermissionMissingError,
    SecondFactorRequiredError,
    SignedOutError,
    VestibuleError,
    WrongSetupError,
)
from vestibule.protocol.authentication import Level

FACES = [f"vestibule.client.{found.name}" for found in pkgutil.iter_modules(vestibule.client.__path__)]
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def every(root: type[BaseException]) -> Iterator[type[BaseException]]:
    """`root` and all that inherit from it, at any depth."""
    yield root
    for one in root.__subclasses__():
        yield from every(one)


def of_the_kit() -> list[type[BaseException]]:
    """The exceptions that any file of the kit defines, also those for a framework."""
    for name in FACES:
        importlib.import_module(name)
    return sorted({one for one in every(BaseException) if one.__module__ in FACES}, key=lambda one: one.__name__)


def made() -> list[VestibuleError]:
    """One of each error that the kit raises."""
    special: dict[type[BaseException], VestibuleError] = {
        WrongSetupError: WrongSetupError("the key is not known"),
        InsufficientAuthenticationError: InsufficientAuthenticationError(Level.TWO_FACTORS, 300),
        SignedOutError: SignedOutError("session_over", "It is over"),
        SecondFactorRequiredError: SecondFactorRequiredError("second_factor_required", "Use it", ("totp",)),
        EnrolmentRequiredError: EnrolmentRequiredError("second_factor_enrolment_required", "Set one up", ("totp",)),
        NotStoredError: NotStoredError("/x: the tokens cannot be kept: it is full", "it is full"),
    }
    kinds = [kind for kind in of_the_kit() if issubclass(kind, VestibuleError)]
    return [
        special.get(kind) or (kind() if issubclass(kind, CallerRefusedError) else kind("it says why"))
        for kind in kinds
        if kind is not CallerRefusedError
    ]


def test_every_error_of_the_kit_ends_in_error() -> None:
    assert [one.__qualname__ for one in of_the_kit() if not one.__name__.endswith("Error")] == []
    assert len(of_the_kit()) > 20


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_error_is_the_same_after_it_was_pickled(protocol: int) -> None:
    for error in made():
        error.add_note("in the second of three")
        for other in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):  # made here
            assert type(other) is type(error)
            assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_caller_is_the_same_after_it_was_pickled(protocol: int) -> None:
    knowing = Knowing()
    caller = knowing.memory.decide(knowing.token(email_verified=True))
    other = pickle.loads(pickle.dumps(caller, protocol))  # made here
    assert isinstance(other, Caller)
    for name in Caller.__dataclass_fields__.keys() - {"clock", "permission_source"}:
        assert getattr(other, name) == getattr(caller, name), name
    assert hash(other) == hash(caller)
    with pytest.raises(TypeError):
        other.claims["role"] = "admin"  # type: ignore[index]
    assert copy.deepcopy(caller) == caller


def naming() -> Caller:
    knowing = Knowing()
    return knowing.memory.decide(knowing.token())


def failing(error: VestibuleError) -> None:
    raise error


def test_a_pool_of_processes_hands_refusals_and_callers_back() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        for error in made():
            with pytest.raises(type(error)) as back:
                pool.submit(failing, error).result(timeout=WAIT_SECONDS)
            assert type(back.value) is type(error)
        assert pool.submit(naming).result(timeout=WAIT_SECONDS).id == "ada"


ADDED: dict[type[CallerRefusedError], set[str]] = {
    InsufficientAuthenticationError: {"acr_values", "max_age"},
    PermissionMissingError: {"permission"},
}


def test_one_shape_of_refusal_for_every_reason() -> None:
    for refusal in made():
        if isinstance(refusal, CallerRefusedError):
            added = next((names for kind, names in ADDED.items() if isinstance(refusal, kind)), set())
            assert refusal.body.keys() == {"status", "code", "message"} | added
            assert (refusal.body["code"], refusal.body["message"]) == (refusal.code, refusal.message)
            assert set(refusal.headers) - {"WWW-Authenticate", "Retry-After"} == {"Cache-Control"}
        if isinstance(refusal, CallerRefusedError | SignedOutError):
            assert (str(refusal), bool(refusal.code)) == (refusal.message, True)


def test_all_that_a_session_or_a_start_can_raise_is_caught_by_one_name() -> None:
    for kind in (CallerRefusedError, SignedOutError, NotReachedError, NotStoredError):
        assert issubclass(kind, VestibuleError)
