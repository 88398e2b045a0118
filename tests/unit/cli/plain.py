"""What a person reads who runs a command: words for an operator, and nothing of Python."""

import re

SECRET = "hush-hush"
"""The password in every URL of the tables."""
_LIBRARIES = "asyncio|sqlalchemy|asyncpg|aiosqlite|redis|aiosmtplib|httpx|httpcore|typer|click|pydantic|granian"
_OF_PYTHON = re.compile(
    r"Traceback|Errno|\berrno\b|Exception ignored|never (?:retrieved|awaited)|coroutine|event loop|QueuePool"
    r"|\b[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Timeout|Refused|Unavailable|Disconnected|Cancelled)\b"
    r"|<[\w.]+ (?:object|at|running|of)\b|<class|0x[0-9a-f]{6}"  # what Python writes for an object
    r"|\('[^']*',|\b[a-z]'|\bb\"|\bNone\b|\w+\(\)"  # a tuple, bytes, a call
    r"|, line \d+, in|\.py\b"
    rf"|\b(?:{_LIBRARIES})\.\w+\.|\bvestibule\.(?:cli|wiring|storage|flows|process|model)\b"
)


def of_python(said: str) -> list[str]:
    """Each piece of a text that only a programmer of Python understands."""
    return [f"…{said[max(found.start() - 60, 0) : found.end() + 20]}…" for found in _OF_PYTHON.finditer(said)]
