"""Say in words of our own why Redis was not reached: messages of redis-py may repeat what was sent."""

from redis import exceptions
from redis.asyncio.sentinel import MasterNotFoundError

from vestibule.process.system_faults import reason

_WORDS = {
    exceptions.AuthenticationError: "it refuses the user or the password",
    exceptions.AuthorizationError: "it refuses the user or the password",
    exceptions.NoPermissionError: "its user may not run this command",
    exceptions.BusyLoadingError: "it is still loading its data",
    exceptions.ReadOnlyError: "it is a replica, which can only be read",
    exceptions.OutOfMemoryError: "its memory is full",
    exceptions.MaxConnectionsError: "all connections of this process are in use",
    exceptions.TimeoutError: "no answer in time",
    exceptions.InvalidResponse: "what answers there is not Redis",
    exceptions.ResponseError: "it refuses the command",
}


def why_unreachable(fault: Exception) -> str:
    """Return why Redis was not reached, without anything that was sent to it or set in its address."""
    if isinstance(fault, MasterNotFoundError):  # raised by `sentinel`, in our own words
        return str(fault)
    known = next((words for kind, words in _WORDS.items() if isinstance(fault, kind)), None)
    return known or reason(fault) or "the connection was cut"
