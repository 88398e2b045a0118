"""Which methods prove how much (`amr` and `acr`)."""

import pytest

from vestibule.protocol.authentication import Level, level_named, level_reached

REACHED = {
    "": Level.ONE_FACTOR,
    "pwd": Level.ONE_FACTOR,
    "otp": Level.ONE_FACTOR,
    "fed": Level.ONE_FACTOR,
    "pwd otp": Level.ONE_FACTOR,
    "swk": Level.ONE_FACTOR,
    "swk user": Level.ONE_FACTOR,
    "pwd otp mfa": Level.TWO_FACTORS,
    "pwd swk mfa": Level.PHISHING_RESISTANT,
    "hwk user mfa": Level.PHISHING_RESISTANT,
}


@pytest.mark.parametrize(("methods", "level"), REACHED.items())
def test_methods_reach_a_level(methods: str, level: Level) -> None:
    assert level_reached(methods.split()) is level


def test_each_level_is_read_by_the_name_that_it_has() -> None:
    assert [level_named(level.acr) for level in Level] == [1, 2, 3]
