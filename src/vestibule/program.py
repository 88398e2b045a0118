"""Where the command `vestibule` starts. What is missing is named, with what to install."""

from vestibule import missing

with missing.explained():
    from vestibule.__main__ import main

__all__ = ["main"]
