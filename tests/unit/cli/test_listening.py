"""A port is refused when it is bound, before a worker starts."""

import socket
import sys

import pytest

from tests.harness.servers import free_port
from vestibule.cli.listening import listener_for
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings

LOCAL = "127.0.0.1"


def test_a_port_at_which_another_program_listens_is_refused() -> None:
    with socket.create_server((LOCAL, 0)) as other, pytest.raises(WrongSettings, match="Address already in use"):
        listener_for(Settings(), LOCAL, other.getsockname()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system offers no name that ends with its owner")
def test_of_two_servers_that_start_at_once_the_second_is_refused() -> None:
    """Neither listens yet: both would, at one port, and each would get half of the requests."""
    port = free_port()
    _, first = listener_for(Settings(), LOCAL, port)
    with first, pytest.raises(WrongSettings, match=f"PORT: cannot listen on {LOCAL}:{port}: Address already in use"):
        listener_for(Settings(), LOCAL, port)
    listener_for(Settings(), LOCAL, port)[1].close()


def test_any_free_port_is_given_to_one_server_alone() -> None:
    (_, first), (_, second) = listener_for(Settings(), LOCAL, 0), listener_for(Settings(), LOCAL, 0)
    with first, second:
        assert first.getsockname()[1] != second.getsockname()[1]


def test_the_port_given_on_the_command_line_is_not_that_of_the_metrics() -> None:
    """Bound to another address it would not clash here, and only a worker would find out."""
    port = free_port()
    settings = Settings(VESTIBULE_METRICS=f"127.0.0.2:{port}")
    with pytest.raises(WrongSettings, match="VESTIBULE_METRICS: has the port of the API, --port; choose another"):
        listener_for(settings, LOCAL, port)
