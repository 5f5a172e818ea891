"""The thread that keeps the gateways of clusters' networks."""

from types import SimpleNamespace

from lab.kubelet.gateways import Gateways
from tests.labs import wait_until


def test_what_befalls_one_gateway_ends_no_other(monkeypatch):
    monkeypatch.setattr("lab.kubelet.gateways.TROUBLE_SECONDS", 0.01)
    monkeypatch.setattr("lab.kubelet.gateways.gateway_token", lambda: "token")
    tries = []

    def ensure_gateway(cluster: str, token: str, closed: bool) -> str:
        if cluster == "odd":
            tries.append(cluster)
            raise KeyError(cluster)
        return f"gateway of {cluster}"

    runtime = SimpleNamespace(engine="docker", ensure_gateway=ensure_gateway)
    nodes = [SimpleNamespace(cluster=cluster, stranger=False, pool=object()) for cluster in ("odd", "later")]
    gateways = Gateways(runtime, nodes, lambda: None)
    gateways.start()
    wait_until("the odd one to be tried again", lambda: len(tries) > 1, 5, 0.01)
    assert gateways.of("later") == "gateway of later" and not gateways.of("odd")
    gateways.stop()
