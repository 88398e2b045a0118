"""What a child process must not take over from its parent: threads that are not there, locks that nobody will open,
and connections that two would speak on.
"""

import os
import weakref
from collections.abc import Callable
from typing import Any


def begin_again_in_child(begin_again: Callable[[], Any]) -> None:
    """Call this method in each child of this process, first of all, while its object lives. Keeps nothing alive."""
    known = weakref.WeakMethod(begin_again)

    def begin() -> None:
        if (alive := known()) is not None:
            alive()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=begin)
