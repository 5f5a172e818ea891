"""The variables by which a container finds Services. Pure."""

from lab.kubelet.serviceenv import proxy_environment, service_environment

POD = {"spec": {}}


def a_service(name: str, address: str = "10.96.0.7", ports: tuple = ((80, "http"),)) -> dict:
    listed = [{"port": number, **({"name": port} if port else {})} for number, port in ports]
    return {"metadata": {"name": name}, "spec": {"clusterIP": address, "ports": listed}}


def test_it_names_address_and_ports_as_kubernetes_and_docker_links_do():
    assert service_environment(POD, [a_service("my-web", ports=((80, "http"), (9000, "http-admin")))]) == {
        "MY_WEB_SERVICE_HOST": "10.96.0.7",
        "MY_WEB_SERVICE_PORT": "80",
        "MY_WEB_SERVICE_PORT_HTTP": "80",
        "MY_WEB_SERVICE_PORT_HTTP_ADMIN": "9000",
        "MY_WEB_PORT": "tcp://10.96.0.7:80",
        "MY_WEB_PORT_80_TCP": "tcp://10.96.0.7:80",
        "MY_WEB_PORT_80_TCP_PROTO": "tcp",
        "MY_WEB_PORT_80_TCP_PORT": "80",
        "MY_WEB_PORT_80_TCP_ADDR": "10.96.0.7",
        "MY_WEB_PORT_9000_TCP": "tcp://10.96.0.7:9000",
        "MY_WEB_PORT_9000_TCP_PROTO": "tcp",
        "MY_WEB_PORT_9000_TCP_PORT": "9000",
        "MY_WEB_PORT_9000_TCP_ADDR": "10.96.0.7",
    }


def test_it_leaves_out_services_without_an_address_and_all_where_the_pod_wants_none():
    assert service_environment(POD, [a_service("db", address="None"), a_service("x", address="")]) == {}
    assert service_environment({"spec": {"enableServiceLinks": False}}, [a_service("web")]) == {}


def test_a_local_process_is_given_the_front_door_as_its_proxy():
    given = proxy_environment("http://localhost:8089/", "west", "shop")
    assert given["http_proxy"] == given["HTTP_PROXY"] == "http://shop.west:pod@127.0.0.1:8089"
    assert "localhost" in given["no_proxy"]
    assert proxy_environment("", "west", "shop") == {}
