"""Where `vestibule serve` listens: the addresses and ports as they are set, tried out before a worker starts."""

import socket

from vestibule.settings.addresses import listening_address
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings


def places(settings: Settings, host: str | None, port: int | None) -> tuple[str, socket.socket]:
    """The address to listen on, and a socket that has the port; raises `WrongSettings` with a line for each place that
    cannot be had, that of the metrics too.
    """
    faults = list[str]()
    given = (host, "--host") if host else (settings.host, "VESTIBULE_HOST")
    main = _taken(faults, *given, settings.port if port is None else port, "PORT")
    if settings.metrics is not None:
        address, number = settings.metrics
        beside = _taken(faults, address, "VESTIBULE_METRICS", number, "VESTIBULE_METRICS")
        if beside is not None:
            beside[1].close()
    if faults or main is None:
        raise WrongSettings("\n".join(faults))
    return main


def _taken(
    faults: list[str], name: str, named_by: str, port: int, numbered_by: str
) -> tuple[str, socket.socket] | None:
    try:
        address = _address(name, named_by)
        return address, _place(address, port, numbered_by)
    except WrongSettings as fault:
        faults.append(str(fault))
        return None


def _address(name: str, setting: str) -> str:
    """The IP address to listen on, which is all that granian takes; raises `WrongSettings`."""
    try:
        found = socket.getaddrinfo(listening_address(name), None, type=socket.SOCK_STREAM)
    except ValueError as fault:
        raise WrongSettings(f"{setting}: {fault}") from None
    except OSError as fault:
        raise WrongSettings(f"{setting}: {name} cannot be looked up: {fault.strerror}") from None
    # IPv4 first, where a name has both: what is asked for localhost mostly asks there.
    return str(min(found, key=lambda each: each[0] != socket.AF_INET)[4][0])


def _place(host: str, port: int, setting: str) -> socket.socket:
    """A socket that has this port, or any if it is 0; raises `WrongSettings` where somebody listens at it already.

    granian itself would share the port with another. A port that the system chose stays bound, where Linux lets granian
    listen nevertheless, so that nobody else is given it in the meantime.
    """
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
    except OSError as fault:
        place.close()
        remedy = f"choose another port with {setting}=" + (" or --port" if setting == "PORT" else "")
        raise WrongSettings(f"{setting}: cannot listen on {host}:{port}: {fault.strerror}; {remedy}") from None
    return place
