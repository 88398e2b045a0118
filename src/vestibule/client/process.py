"""Give each process an object of its own, by whatever way it was forked."""

import os
import sys
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Held(Generic[T]):
    """One process's object. It keeps its parent's alive: the finalisers of those, run in a child, would take the
    parent's descriptors out of an epoll that both share.
    """

    def __init__(self, value: T, before: "_Held[T] | None" = None) -> None:
        self.pid = os.getpid()
        self.value = value
        self.replaced_by: dict[int, _Held[T]] = {}
        self.parents: _Held[T] | None = None if before is None else before.parents if before.pid == self.pid else before


class PerProcess(Generic[T]):
    """Holds one `T` for each process, made at once and then at the first use after a fork.

    Every use compares the process id, because uWSGI and others fork in C and call none of Python's hooks. No lock
    guards the making, because a child could inherit it locked: several threads may make one, and the first one counts.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._held = _Held(make())
        _every.add(self)

    def here(self) -> T:
        """Return this process's own."""
        held = self._held
        return held.value if held.pid == os.getpid() else self._replaced(held)

    def replace(self, old: T) -> T:
        """Return the one that takes the place of `old`, or the one that already has."""
        held = self._held
        return self._replaced(held) if held.value is old else self.here()

    def forget(self) -> None:
        """Make the next use make a new one: in a child that may have a process id that one of its ancestors had."""
        self._held.pid = 0

    def _replaced(self, held: _Held[T]) -> T:
        new = held.replaced_by.setdefault(os.getpid(), _Held(self._make(), held))
        if self._held is held:
            self._held = new
        return new.value


_every: "weakref.WeakSet[PerProcess[Any]]" = weakref.WeakSet()


def _forget_all() -> None:
    for each in list(_every):
        each.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def is_uwsgi_master() -> bool:
    """Return whether this is the master of uWSGI's workers. It forks without regard for Python's threads: a worker that
    is forked while one of them runs waits for ever.
    """
    uwsgi = sys.modules.get("uwsgi")  # made by the server itself, and nowhere else to be imported
    return uwsgi is not None and bool(uwsgi.masterpid()) and not uwsgi.worker_id()
