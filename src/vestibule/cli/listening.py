"""Bind the address and port of `vestibule serve`, and try those of the metrics, before a worker starts."""

import socket
import sys

from vestibule.settings.addresses import listening_address
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings


def listener_for(settings: Settings, host: str | None, port: int | None) -> tuple[str, socket.socket]:
    """Return the IP address to listen on, and a socket bound to it and the port. Raises `WrongSettings` with a line for
    each address and port that cannot be used, also for those of the metrics.
    """
    faults = list[str]()
    host_and_setting = (host, "--host") if host else (settings.host, "VESTIBULE_HOST")
    bound = _try_to_bind(faults, *host_and_setting, settings.port if port is None else port, "PORT")
    if settings.metrics is not None:
        host_of_metrics, port_of_metrics = settings.metrics
        if port is not None and port_of_metrics == port:  # PORT was compared when the settings were read
            faults.append("VESTIBULE_METRICS: has the port of the API, --port; choose another")
        of_metrics = _try_to_bind(faults, host_of_metrics, "VESTIBULE_METRICS", port_of_metrics, "VESTIBULE_METRICS")
        if of_metrics is not None:
            _, metrics_socket = of_metrics
            metrics_socket.close()
    if bound is None:
        raise WrongSettings("\n".join(faults))
    if faults:
        bound[1].close()
        raise WrongSettings("\n".join(faults))
    return bound


def _try_to_bind(
    faults: list[str], host: str, host_setting: str, port: int, port_setting: str
) -> tuple[str, socket.socket] | None:
    """Return the IP address and a bound socket. If that fails, return None and add a line to `faults`."""
    try:
        address = _address(host, host_setting)
        return address, _bound_socket(address, port, port_setting)
    except WrongSettings as fault:
        faults.append(str(fault))
        return None


def _address(name: str, setting: str) -> str:
    """Return the IP address of a name, because granian takes no names; raises `WrongSettings`."""
    try:
        found = socket.getaddrinfo(listening_address(name), None, type=socket.SOCK_STREAM)
    except ValueError as fault:
        raise WrongSettings(f"{setting}: {fault}") from None
    except OSError as fault:
        raise WrongSettings(f"{setting}: {name} cannot be looked up: {fault.strerror}") from None
    # Take the first IPv4 address if there is one, because most clients connect to localhost over IPv4.
    *_, address_and_port = min(found, key=lambda entry: entry[0] != socket.AF_INET)  # an entry begins with its family
    return str(address_and_port[0])


class _PortSocket(socket.socket):
    """A socket that keeps another Vestibule from binding its address and port, even before either of them listens.

    We set SO_REUSEADDR, so that a restart need not wait until the system has forgotten old connections. But with it two
    programs can bind the same port while neither listens. Granian sets SO_REUSEPORT before it listens, so both would
    listen, and each would get half of the requests. On Linux we therefore also bind an abstract Unix socket (unix(7))
    that is named after the address and the port: only one process of a network namespace can have it, and it goes when
    that process ends.
    """

    _claim: socket.socket | None = None

    def bind_alone(self, host: str, port: int) -> None:
        """Bind; raises `OSError` if another program has the port."""
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.bind((host, port))
        if sys.platform == "linux":
            self._claim = socket.socket(socket.AF_UNIX)
            self._claim.bind(f"\0vestibule/{host}/{self.getsockname()[1]}")

    def close(self) -> None:
        """Free the address and the port."""
        if self._claim is not None:
            self._claim.close()
        super().close()


def _bound_socket(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket bound to this port, or to any free port for 0. Raises `WrongSettings` if the port is taken.

    Granian itself would share a taken port with the other program. On Linux the caller keeps the socket open while
    granian listens, so that no other program gets a port that the system chose for us.
    """
    bound = _PortSocket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.bind_alone(host, port)
    except OSError as fault:
        bound.close()
        remedy = f"choose another port with {setting}=" + (" or --port" if setting == "PORT" else "")
        raise WrongSettings(f"{setting}: cannot listen on {host}:{port}: {fault.strerror}; {remedy}") from None
    return bound
