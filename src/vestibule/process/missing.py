"""Explain a missing module: which one, and what to install. Needs nothing but Python itself."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

_OF_THE_SERVER = ("typer", "sqlalchemy", "granian")


def sentence(missing: ModuleNotFoundError) -> str:
    """Return the sentence for a missing module, with what to install."""
    if not any(map(_is_there, _OF_THE_SERVER)):
        return (
            f"{missing.name} is missing, because only the kit for services is installed here; "
            "the server is installed by, in a clone of Vestibule: pip install '.[server]'"
        )
    return (
        f"the module {missing.name} is missing, so that this installation is not whole; "
        "make it so by, in a clone of Vestibule: pip install --force-reinstall '.[server]'"
    )


@contextmanager
def explained() -> Iterator[None]:
    """End the process with that sentence if a module cannot be imported."""
    try:
        yield
    except ModuleNotFoundError as missing:
        sys.exit(f"vestibule: {sentence(missing)}")


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
