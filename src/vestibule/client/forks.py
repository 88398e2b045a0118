"""Start afresh in a forked child: it has no threads, and must not use the parent's locks and connections."""

import os
import weakref
from collections.abc import Callable
from typing import Any


def call_in_forked_children(method: Callable[[], Any]) -> None:
    """Call this bound method at the start of each forked child, as long as its object exists. Keeps no reference."""
    known = weakref.WeakMethod(method)

    def begin() -> None:
        if (alive := known()) is not None:
            alive()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=begin)
