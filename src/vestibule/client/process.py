"""Give each process its own object, however the process was forked."""

import os
import sys
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Holder(Generic[T]):
    """One process's object. In a forked child, `of_parent` keeps the parent's object alive: its finaliser would remove
    the parent's descriptors from an epoll that both processes share.
    """

    def __init__(self, value: T, replaced: "_Holder[T] | None" = None) -> None:
        self.pid = os.getpid()
        self.value = value
        self.replaced_by: dict[int, _Holder[T]] = {}
        # An object of this process that is replaced need not stay alive.
        replaces_own = replaced is not None and replaced.pid == self.pid
        self.of_parent: _Holder[T] | None = replaced.of_parent if replaced is not None and replaces_own else replaced


class PerProcess(Generic[T]):
    """Holds one `T` for each process: made at once in this process, and in a forked child at the first use.

    Every use compares the process id, because uWSGI and others fork in C and call none of Python's hooks. No lock
    guards `make`, because a child could inherit it locked: several threads may make a `T`, and all use the first one.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._holder = _Holder(make())
        _every.add(self)

    def here(self) -> T:
        """Return this process's `T`."""
        holder = self._holder
        return holder.value if holder.pid == os.getpid() else self._replace_in(holder)

    def replace(self, old: T) -> T:
        """Return a new `T` in the place of `old`, or the one that has already replaced it."""
        holder = self._holder
        return self._replace_in(holder) if holder.value is old else self.here()

    def renew_at_next_use(self) -> None:
        """Have the next use make a new `T`. For a child after a fork: it may have the process id of one of its
        ancestors.
        """
        self._holder.pid = 0

    def _replace_in(self, holder: _Holder[T]) -> T:
        new = holder.replaced_by.setdefault(os.getpid(), _Holder(self._make(), holder))
        if self._holder is holder:
            self._holder = new
        return new.value


_every: "weakref.WeakSet[PerProcess[Any]]" = weakref.WeakSet()


def _renew_all() -> None:
    for each in list(_every):
        each.renew_at_next_use()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)


def is_uwsgi_master() -> bool:
    """Return whether this is the master of uWSGI's workers. It forks without regard for Python's threads: a worker that
    is forked while a thread runs in the master may wait for ever. uWSGI's mules and spoolers count as the master: they
    have no worker id either.
    """
    uwsgi = sys.modules.get("uwsgi")  # uWSGI puts it there; it cannot be imported
    return uwsgi is not None and bool(uwsgi.masterpid()) and not uwsgi.worker_id()
