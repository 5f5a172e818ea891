"""The threads that begin kubelets: what befalls one cluster does not end them."""

from types import SimpleNamespace

import pytest

from lab.apimachinery.errors import ApiError
from lab.client import UnknownCluster
from lab.kubelet import agents as module
from lab.kubelet.agents import Agents


@pytest.mark.parametrize(
    "gone", [ApiError(404, "NotFound", "there is no such cluster"), UnknownCluster("gone"), KeyError("odd")]
)
def test_a_cluster_that_is_odd_or_deleted_while_it_is_looked_at_ends_neither_ear_nor_keeper(monkeypatch, gone):
    agents, begun = Agents(("simulated",), SimpleNamespace()), []

    def begin_for(cluster: str) -> None:
        begun.append(cluster)
        if cluster == "gone":
            raise gone
        if cluster == "last":
            agents._stopping.set()

    def rounds() -> list[str]:
        return ["gone"] if not begun else ["last"]

    monkeypatch.setattr(agents, "_begin_for", begin_for)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0)
    monkeypatch.setattr(module, "cluster_names", rounds)
    monkeypatch.setattr(module, "close_old_connections", lambda: None)
    monkeypatch.setattr(module, "connections", SimpleNamespace(close_all=lambda: None))
    agents._run()
    assert begun == ["gone", "last"]
    begun.clear()
    monkeypatch.setattr(module.hints, "heard", lambda stopped: iter(["gone", "last"]))
    agents._listen()
    assert begun == ["gone", "last"]
