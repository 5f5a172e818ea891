"""A Deployment under a release: sized by two numbers, patient with steps, and able to say why it got nowhere."""

from lab.apimachinery.meta import condition, parse_time
from lab.controllers.deployment.plan import make_plan
from lab.controllers.deployment.trouble import explain

from .build import a_deployment, a_pod, a_replica_set, a_template

NOW = parse_time("2026-05-20T20:00:00Z")


def steered(new: int, old: int, **spec) -> dict:
    deployment = a_deployment(10, template=a_template("v2"), **spec)
    numbers = {"orrery.io/replicas-new": str(new), "orrery.io/replicas-old": str(old)}
    deployment["metadata"]["annotations"] = {"orrery.io/release": "to-v2", **numbers}
    return deployment


def sets(new: int, old: int, available: int = 0) -> list[dict]:
    first = a_replica_set("web-v1", old, old, age=2, desired=10, most=10, template=a_template("v1"))
    second = a_replica_set("web-v2", new, available, age=1, desired=10, most=10, template=a_template("v2"))
    return [first, second]


def plan(deployment: dict, replica_sets: list[dict], time: float = NOW, trouble: str = ""):
    return make_plan(deployment, replica_sets, False, time, trouble)


def sizes(plan) -> dict[str, int]:
    """What changes."""
    asked = plan.why.get("replicaSets", {})
    return {name: each["wanted"] for name, each in asked.items() if each["wanted"] != each["replicas"]}


def progressing(plan) -> tuple[str, str]:
    found = condition({"status": plan.status}, "Progressing")
    return found["reason"], found["message"]


def test_a_release_sizes_both_versions_and_the_deployment_does_not_roll():
    assert sizes(plan(steered(2, 10), sets(1, 10, 1))) == {"web-v2": 2}
    assert sizes(plan(steered(2, 10), sets(2, 10, 2))) == {}
    assert plan(steered(2, 10), sets(1, 10, 1)).why["steeredBy"] == "to-v2"


def test_the_new_version_begins_with_as_many_pods_as_the_release_says():
    begun = plan(steered(2, 10), sets(0, 10)[:1])
    assert begun.create["spec"]["replicas"] == 2 and list(sizes(begun).values()) == [2]
    assert not [key for key in begun.create["metadata"]["annotations"] if key.startswith("orrery.io/")]


def test_of_two_old_versions_alive_it_takes_none_away():
    third = a_replica_set("web-v3", 5, 5, age=0, template=a_template("v3"))
    assert sizes(plan(steered(2, 10), [*sets(2, 10, 2), third])) == {}


def test_without_the_numbers_it_rolls_on_and_the_old_version_goes():
    deployment = steered(10, 10)
    deployment["metadata"]["annotations"] = {}
    assert sizes(plan(deployment, sets(10, 10, 10))) == {"web-v1": 0}


def test_while_a_release_looks_at_its_pods_no_deadline_runs():
    deployment = steered(2, 10, progressDeadlineSeconds=60)
    looking = plan(deployment, sets(2, 10, 2))
    assert progressing(looking) == ("ReleaseInControl", 'Release "to-v2" has its new pods.') and looking.delay is None
    deployment["status"] = looking.status
    assert progressing(plan(deployment, sets(2, 10, 2), NOW + 9999))[0] == "ReleaseInControl"
    more = {**steered(5, 10, progressDeadlineSeconds=60), "status": looking.status}
    waiting = plan(more, sets(2, 10, 2))
    assert progressing(waiting)[0] == "ReplicaSetUpdated" and waiting.delay > 0


def late(trouble: str = "") -> tuple[dict, object]:
    deployment = a_deployment(10, surge=1, progressDeadlineSeconds=60, template=a_template("v2"))
    long_ago = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "message": ""}
    long_ago |= {"lastUpdateTime": "2026-05-20T19:00:00Z", "lastTransitionTime": "2026-05-20T19:00:00Z"}
    deployment["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "1"}
    deployment["status"] = {"replicas": 11, "updatedReplicas": 1, "availableReplicas": 10, "readyReplicas": 10}
    deployment["status"]["conditions"] = [long_ago]
    return deployment, plan(deployment, sets(1, 10), trouble=trouble)


def test_a_rollout_whose_time_is_up_says_what_its_pods_say():
    deployment, up = late('Pod "web-1": ErrImagePull: no such image')
    words = 'ReplicaSet "web-v2" has timed out progressing. Pod "web-1": ErrImagePull: no such image'
    assert progressing(up) == ("ProgressDeadlineExceeded", words)
    assert ("Warning", "ProgressDeadlineExceeded", words) in up.events
    again = plan({**deployment, "status": up.status}, sets(1, 10))
    assert progressing(again)[1] == words and not [e for e in again.events if e[0] == "Warning"]


def test_an_undo_after_the_deadline_is_a_beginning_and_not_late():
    deployment, up = late()
    undone = {**deployment, "status": up.status, "spec": {**deployment["spec"], "template": a_template("v1")}}
    undone["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "2"}
    first, second = sets(1, 10)
    first["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1"
    second["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2"
    assert progressing(plan(undone, [first, second]))[0] in ("FoundNewReplicaSet", "ReplicaSetUpdated")


def test_pods_say_why_they_are_not_ready():
    fine, unready = a_pod("fine"), a_pod("unready", ready=False)
    unready["status"]["conditions"][0] |= {"reason": "ContainersNotReady", "message": "containers with unready status"}
    pulling = a_pod("pulling", phase="Pending", ready=False)
    waiting = {"name": "web", "state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
    pulling["status"]["containerStatuses"] = [waiting]
    homeless = a_pod("homeless", phase="Pending", ready=False)
    condition_ = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    homeless["status"]["conditions"].append(condition_)
    assert explain([fine]) == ""
    assert explain([fine, unready]) == 'Pod "unready": ContainersNotReady: containers with unready status'
    assert explain([pulling, unready]) == 'Pod "pulling": ErrImagePull: no such image (1 more wait)'
    assert explain([homeless]) == 'Pod "homeless": Unschedulable: 0/3 nodes'
