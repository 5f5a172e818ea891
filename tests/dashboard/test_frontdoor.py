"""The address under which a browser finds a Service."""

from lab.dashboard.frontdoor import way_in


def test_who_comes_from_another_machine_goes_by_the_api(monkeypatch):
    monkeypatch.setenv("ORRERY_FRONT_DOOR", "http://localhost:8089/")
    assert way_in("learn", by_room=False) == "http://{service}.{namespace}.learn.localhost:8089/"
    assert way_in("learn", by_room=True) == "/clusters/learn/api/v1/namespaces/{namespace}/services/{service}/proxy/"
    monkeypatch.delenv("ORRERY_FRONT_DOOR")
    assert way_in("learn", by_room=True) == ""
