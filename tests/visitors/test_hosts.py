"""By which name the front door is asked for a Service."""

import pytest

from lab.visitors.hosts import host_of

ONE = [{"name": "http", "port": 80}]
TWO = [{"name": "http", "port": 80}, {"port": 8081}, {"name": "dns", "port": 53, "protocol": "UDP"}]


@pytest.mark.parametrize(
    ("wanted", "ports", "host"),
    [
        ("hello", TWO, "hello.shop.west.localhost"),
        ("hello:http", ONE, "hello.shop.west.localhost"),
        ("hello:80", ONE, "hello.shop.west.localhost"),
        ("hello:80", TWO, "http.hello.shop.west.localhost"),
        ("hello:8081", TWO, "8081.hello.shop.west.localhost"),
        ("hello:dns", TWO, "hello.shop.west.localhost"),
    ],
)
def test_the_port_stands_before_the_service_where_there_are_several(wanted, ports, host):
    visitors = {"metadata": {"namespace": "shop", "name": "everyone"}, "spec": {"service": wanted}}
    assert host_of("west", visitors, {"spec": {"ports": ports}}) == host


def test_a_service_that_is_not_there_is_asked_for_all_the_same():
    visitors = {"metadata": {"namespace": "shop", "name": "everyone"}, "spec": {"service": "hello:http"}}
    assert host_of("west", visitors, None) == "hello.shop.west.localhost"
