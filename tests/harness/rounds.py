"""Decide how often a test repeats what depends on chance: a few times in the suite, and many times in `make races`."""

import os

WHOLE = os.environ.get("VESTIBULE_TEST_WHOLE") == "1"


def rounds(whole: int, *, suite: int) -> int:
    """Return `whole` if `VESTIBULE_TEST_WHOLE` is 1, as in `make races`, and `suite` otherwise."""
    return whole if WHOLE else suite
