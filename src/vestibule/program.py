"""Where the command `vestibule` starts. Without the server's dependencies it says what to install."""

import sys

try:
    from vestibule.__main__ import main
except ModuleNotFoundError as missing:
    sys.exit(
        f"vestibule: {missing.name} is missing, because only the kit for services is installed here; "
        "the server is installed by: pip install 'vestibule[server]'"
    )

__all__ = ["main"]
