"""The address under which a browser finds a Service."""

from lab.dashboard.frontdoor import through, way_in


def test_who_comes_from_another_machine_goes_by_the_api_with_a_key_that_opens_one_cluster(monkeypatch):
    monkeypatch.setenv("ORRERY_FRONT_DOOR", "http://localhost:8089/")
    assert way_in("learn", by_room=False) == "http://{service}.{namespace}.learn.localhost:8089/"
    mine, theirs = (way_in(name, by_room=True).format(service="web:80", namespace="shop") for name in ("ada", "bob"))
    way = through(f"{mine}a/../b?c")
    assert way and (way.cluster, way.prefix) == ("ada", mine[:-1])
    assert way.path == "/clusters/ada/api/v1/namespaces/shop/services/web:80/proxy/a/../b?c"
    key = mine.split("/")[2]
    others = (theirs.replace("bob", "ada"), mine.replace("ada", "adb"), mine.replace(key, key[:-1]))
    for wrong in (*others, "/through/", *(f"/through/{key}/{way}/" for way in ("shop", "shop/we%2fb", "../web"))):
        assert through(wrong) is None, wrong
    monkeypatch.delenv("ORRERY_FRONT_DOOR")
    assert way_in("learn", by_room=True) == ""
