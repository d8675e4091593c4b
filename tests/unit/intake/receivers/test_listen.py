import socket

import pytest

from codometer.errors import BadSettings, PortInUse
from codometer.intake.receivers.listen import bind


def test_port_0_takes_a_free_port() -> None:
    with bind("127.0.0.1", 0) as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        assert port > 0
        socket.create_connection((host, port)).close()


def test_a_port_in_use_is_named_with_a_way_out() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} on 127") as caught:
            bind("127.0.0.1", port)
    assert "choose another port" in caught.value.hint


def test_a_port_can_be_taken_again_at_once() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        listener.settimeout(5)
        client = socket.create_connection(("127.0.0.1", port))
        served, _ = listener.accept()
        served.close()  # the server closes first, so its side of the port lingers
        client.close()
    bind("127.0.0.1", port).close()


def test_an_address_of_another_machine_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(BadSettings, match="cannot listen on 192"):
        bind("192.0.2.1", 0)  # reserved for documentation


def test_a_name_without_an_address_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(BadSettings, match="no address"):
        bind("no-such-host.invalid", 0)
