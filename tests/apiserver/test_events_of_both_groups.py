"""Events of the core group and of events.k8s.io are the same objects, in other words."""

from .test_kubectl import Kubectl

CORE = "/api/v1/namespaces/default/events"
NEWER = "/apis/events.k8s.io/v1/namespaces/default/events"
TOLD = {
    "metadata": {"name": "web.1"},
    "regarding": {"kind": "Pod", "name": "web", "namespace": "default", "apiVersion": "v1"},
    "note": "it was told",
    "reason": "Told",
    "type": "Normal",
    "action": "Telling",
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "reportingController": "example.com/teller",
    "reportingInstance": "teller-1",
}


def test_what_is_told_in_one_group_is_read_in_the_other(api):
    made = api.create(NEWER, TOLD)
    assert (made["apiVersion"], made["note"]) == ("events.k8s.io/v1", "it was told")
    old = api.get(f"{CORE}/web.1").json
    assert (old["apiVersion"], old["message"], old["involvedObject"]) == ("v1", "it was told", TOLD["regarding"])
    assert old["reportingComponent"] == TOLD["reportingController"]
    assert not {"note", "regarding", "reportingController"} & old.keys()
    api.patch(f"{CORE}/web.1", {"count": 3, "source": {"component": "teller"}})
    new = api.get(f"{NEWER}/web.1").json
    assert (new["deprecatedCount"], new["deprecatedSource"]) == (3, {"component": "teller"})
    assert {field: new[field] for field in TOLD if field != "metadata"} == {f: TOLD[f] for f in TOLD if f != "metadata"}


def test_both_are_selected_patched_and_watched_in_their_own_words(api):
    api.create(NEWER, TOLD)
    for place, about in ((CORE, "involvedObject"), (NEWER, "regarding")):
        for name, count in (("web", 1), ("db", 0)):
            assert len(api.get(f"{place}?fieldSelector={about}.name%3D{name}").json["items"]) == count
    assert api.patch(f"{NEWER}/web.1", {"note": "again"}).json["note"] == "again"
    revision = api.get(NEWER).json["metadata"]["resourceVersion"]
    with api.watch(f"{NEWER}?watch=1&resourceVersion={revision}") as watch:
        api.patch(f"{CORE}/web.1", {"message": "once more"})
        assert [(kind, event["note"]) for kind, event in [watch.next()]] == [("MODIFIED", "once more")]


def test_kubectl_reads_both(api, kubectl, kubeconfig):
    api.create(NEWER, TOLD)
    for kind in ("events", "events.events.k8s.io"):
        head, line = Kubectl(kubectl, kubeconfig).rows("get", kind)
        assert head == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
        assert line[1:] == ["Normal", "Told", "pod/web", "it was told"]
