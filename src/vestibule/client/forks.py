"""Start afresh in a forked child: without the parent's threads, its held locks, or connections both would use."""

import os
import weakref
from collections.abc import Callable
from typing import Any


def call_in_forked_children(method: Callable[[], Any]) -> None:
    """Call this bound method first of all in each forked child, as long as its object exists. Keeps no reference."""
    known = weakref.WeakMethod(method)

    def begin() -> None:
        if (alive := known()) is not None:
            alive()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=begin)
