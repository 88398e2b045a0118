"""How often a test tries what is a matter of chance: enough to see it in the suite, and many times in `make races`."""

import os

WHOLE = os.environ.get("VESTIBULE_TEST_WHOLE") == "1"


def rounds(whole: int, *, suite: int) -> int:
    """`whole` times where `VESTIBULE_TEST_WHOLE` is 1, as in `make races`, and `suite` times otherwise."""
    return whole if WHOLE else suite
