"""The garbage collector and imports: these make two hundred thousand objects, of which none is garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def none_meanwhile() -> Iterator[None]:
    """Collect nothing in the block, and leave out what there is at its end for ever. For imports.

    Going over the same modules again and again takes a fifth of a start. Later on each whole collection would hold the
    event loop while it goes over them, and copy their memory into every process that was forked.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
