"""What began it, in a lab with all its parts: whoever takes part in a pod's end passes on why it ends."""

from tests.labs import is_ready, wait_until

PODS = "/api/v1/namespaces/default/pods"
WHEEL = "/apis/orrery.io/v1/wheels/replicaset"


def turn(lab, mode: str) -> None:
    lab.api("PATCH", WHEEL, {"spec": {"mode": mode}}, content_type="application/merge-patch+json")


def test_the_thread_of_a_replacement_begins_with_whoever_deleted_the_pod(process_lab):
    """The replica set's loop stands still meanwhile, so that the last it hears of the pod is the kubelet's word that it
    is gone; before that was kube-proxy's, that nothing is in flight."""
    known = {pod["metadata"]["name"] for pod in process_lab.wait_for_ready_pods(3)}
    gone = min(known)
    turn(process_lab, "Paused")
    process_lab.api("DELETE", f"{PODS}/{gone}")
    wait_until("it to be gone", lambda: process_lab.get(f"{PODS}/{gone}") is None)
    turn(process_lab, "Running")

    def heir() -> str | None:
        return next((p["metadata"]["name"] for p in process_lab.pods() if p["metadata"]["name"] not in known), None)

    name = wait_until("the replacement", heir)
    process_lab.wait_for_ready_pods(3)
    assert is_ready(process_lab.get(f"{PODS}/{name}"))
    began = process_lab.api("GET", f"{PODS}/{name}/thread")["root"]
    assert (began["kind"], began["author"]) == ("person", "python-urllib")
    assert gone in began["text"]


def test_who_says_that_a_pod_is_drained_does_so_because_it_was_asked_to_go(process_lab):
    gone = process_lab.wait_for_ready_pods(3)[0]["metadata"]["name"]
    process_lab.api("DELETE", f"{PODS}/{gone}")
    wait_until("it to be gone", lambda: process_lab.get(f"{PODS}/{gone}") is None)
    rows = process_lab.api("GET", f"{PODS}/{gone}/history")["revisions"]
    drained = [row for row in rows if row["author"] == "kube-proxy" and row["act"] == "updated"]
    assert drained and all(row["cause"] for row in drained)
    process_lab.wait_for_ready_pods(3)
