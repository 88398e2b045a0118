"""Explain a missing module: which one, and what to install.

`__main__` uses this before any other import, so it imports nothing but the standard library.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

_SERVER_MODULES = ("typer", "sqlalchemy", "granian")


def sentence(missing: ModuleNotFoundError) -> str:
    """Return which module is missing, and what to install, as one sentence."""
    if not any(map(_is_installed, _SERVER_MODULES)):
        return (
            f"{missing.name} is missing, because only the kit for services is installed here; "
            "to install the server, run in a clone of Vestibule: pip install '.[server]'"
        )
    return (
        f"the module {missing.name} is missing, so this installation is incomplete; "
        "to repair it, run in a clone of Vestibule: pip install --force-reinstall '.[server]'"
    )


@contextmanager
def explained() -> Iterator[None]:
    """If a module cannot be imported in the block, end the process with the `sentence` about it."""
    try:
        yield
    except ModuleNotFoundError as missing:
        sys.exit(f"vestibule: {sentence(missing)}")


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
