"""Programs that measure run by hand and by night: a name that has moved must fail here first."""

import importlib
import pkgutil

import pytest

import measure
import tools

OWN = {"vestibule", "measure", "tools", "tests", "examples"}
STARTED_ALONE = {"measure.speed.__main__", "measure.speed.bare"}
"""They work as soon as they are imported."""

PROGRAMS = [
    module.name
    for package in (measure, tools)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if module.name not in STARTED_ALONE
]


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_that_measures_or_makes_pages_can_be_imported(name: str) -> None:
    """Only what measures others, or draws, may need libraries that the tests do not have."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] in OWN:
            raise
        pytest.skip(str(fault))
