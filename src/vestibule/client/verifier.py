"""The verifier: who is calling, by their token, decided in memory; and what keeps that memory true."""

import contextlib
import threading
from collections.abc import Collection
from types import TracebackType
from typing import Self, get_args

from vestibule.client import wire
from vestibule.client.background import Ended
from vestibule.client.caller import Caller
from vestibule.client.complaints import Complaints
from vestibule.client.errors import CallerRefusedError, CannotTellError, KeyUnknownError, WrongSetupError
from vestibule.client.following import START_SECONDS, Following
from vestibule.client.forks import begin_again_in_child
from vestibule.client.keys import KeySet
from vestibule.client.memory import Memory, Policy
from vestibule.model.clock import Clock, SystemClock
from vestibule.protocol.claims import Expected

_MEND_SECONDS = START_SECONDS + 2 * wire.ANSWER_SECONDS


class Closed(RuntimeError):
    """Nothing is followed any more, and will not be."""


class Verifier:
    """Knows who is calling. One for each process is enough; threads and tasks share it.

    `policy` says what becomes of a good token when what is known of revocations is more than `staleness` seconds old:
    `refuse` it with 503, `ask` Vestibule about each, or `accept` it although its session may be over. Nothing is
    accepted before something was heard, by each process for itself. `cookie` names a cookie that is taken as well as
    `Authorization: Bearer`; `origins` are the other sites whose pages may then send what changes something.
    `key_refetch`: how often, in seconds, an unknown key may cause a fetch.
    Raises `ValueError` for what cannot be. Starts by itself at the first check; `start` and `with` raise what is wrong
    with the key or the URL.
    """

    def __init__(
        self,
        url: str,
        service_key: str,
        policy: Policy = "refuse",
        *,
        issuer: str = "vestibule",
        audience: str = "vestibule",
        cookie: str | None = None,
        origins: Collection[str] = (),
        staleness: float = 5.0,
        leeway: float = 30.0,
        remembered: int = 50_000,
        key_refetch: float = 60.0,
        plain_http: bool = False,
        clock: Clock | None = None,
    ) -> None:
        if policy not in get_args(Policy):
            raise ValueError(f"policy is one of {', '.join(get_args(Policy))}, not {policy!r}")
        if not staleness >= 2:
            raise ValueError("staleness is 2 seconds or more: the feed beats once a second")
        if remembered < 1 or key_refetch < 1 or not 0 <= leeway <= 60:
            raise ValueError("remembered and key_refetch are 1 or more, leeway is 0 to 60 seconds")
        self.cookie = cookie
        self.origins = wire.origins_of(origins)
        self._base = wire.base_of(url, plain_http=plain_http)
        self._service_key = wire.key_of(service_key)
        self._policy = policy
        self._clock = clock or SystemClock()
        self._expected = Expected(issuer, audience, leeway)
        self._memory = Memory(self._expected, policy, staleness, remembered, self._clock)
        self._key_refetch = key_refetch
        self._complaints = Complaints(self._clock)
        self._parents: object = None
        self._begin()
        begin_again_in_child(self._begin_in_child)

    def check(self, token: str) -> Caller:
        """The caller; raises `CallerRefusedError`. No I/O, except in the three cases in which there is nothing else to
        do: the first look is under way, the token's key is new, or the policy is to ask.
        """
        try:
            return self._decide(token)
        except (KeyUnknownError, CannotTellError) as refusal:
            if not self._may_mend(refusal):
                raise self._worded(refusal) from None
        try:
            following = self._follow()
            return following.ask(following.mend(token), _MEND_SECONDS)
        except Exception as fault:  # whatever it is, it is a refusal
            raise self._refusal(fault) from None

    async def check_async(self, token: str) -> Caller:
        """The same for a task: whatever has to wait holds up no other."""
        try:
            return self._decide(token)
        except (KeyUnknownError, CannotTellError) as refusal:
            if not self._may_mend(refusal):
                raise self._worded(refusal) from None
        try:
            following = self._follow()
            return await following.ask_async(following.mend(token), _MEND_SECONDS)
        except Exception as fault:  # as above
            raise self._refusal(fault) from None

    @property
    def age(self) -> float:
        """Seconds since the moment up to which all revocations are known; infinite before the first look."""
        return self._memory.age()

    def start(self) -> None:
        """Begin to follow, if that is not done yet, and wait for the first answers.

        Raises `ServiceRefusedError` where Vestibule does not take the service key, and `NotVestibuleError` where the
        URL leads to something else or nowhere. An outage is none of these: the service starts, and answers as its
        policy says. Raises `RuntimeError` once closed.
        """
        following = self._follow()
        with contextlib.suppress(TimeoutError, Ended):
            following.ask(following.setup.all_tried.wait(), START_SECONDS)
        if (fault := following.setup.fault) is not None:
            self._stop()  # a later check looks anew
            raise fault

    def close(self) -> None:
        """Stop following, and wait for the end of it. What is known grows stale from now on."""
        self._closed = True
        self._following.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _decide(self, token: str) -> Caller:
        return self._memory.decide(token)

    def _begin(self) -> None:
        """As at first: with a lock of its own, and nothing in force of what was heard before."""
        self._starting = threading.Lock()
        self._closed = False
        self._memory.begin()
        self._make_following()

    def _begin_in_child(self) -> None:
        # What the parent's loop holds is never let go: to close it here would cut the parent's connections.
        self._parents = (self._following, self._parents)
        self._begin()

    def _make_following(self) -> None:
        self._memory.drop()
        self._keys = KeySet(self._clock, self._key_refetch)
        self._following = Following(
            self._base,
            self._service_key,
            self._policy,
            self._memory,
            self._keys,
            self._expected,
            self._clock,
            self._complaints,
        )

    def _follow(self) -> Following:
        """What follows, begun; anew where it has ended by itself. Raises `Closed`."""
        with self._starting:
            if self._closed:
                raise Closed("this Verifier is closed")
            if self._following.ended:
                self._make_following()
            self._following.begin()
            return self._following

    def _stop(self) -> None:
        with self._starting:
            self._following.close()
            self._make_following()

    def _may_mend(self, refusal: CallerRefusedError) -> bool:
        following = self._following
        if following.ended or not following.looked:
            return True
        return self._keys.may_refetch() if isinstance(refusal, KeyUnknownError) else self._policy == "ask"

    def _refusal(self, fault: Exception) -> CallerRefusedError:
        """What became of the attempt to know more: whatever went wrong, nobody is let in for that."""
        if isinstance(fault, CallerRefusedError):
            return self._worded(fault)
        if not isinstance(fault, TimeoutError | Ended | Closed):
            self._complaints.warn("a check could not be made", wire.kinds_of(fault))
        return CannotTellError()

    def _worded(self, refusal: CallerRefusedError) -> CallerRefusedError:
        """The refusal, told apart where it is no outage that makes it."""
        fault = self._following.setup.fault
        return WrongSetupError(str(fault)) if fault is not None and type(refusal) is CannotTellError else refusal
