"""Which volume a claim gets: the rules alone."""

import pytest

from lab.controllers.persistentvolume.binding import best_volume, claimed, given, mismatch, reaches, unclaimed


def claim(storage: str = "1Gi", modes: tuple[str, ...] = ("ReadWriteOnce",), **spec) -> dict:
    asked = {"resources": {"requests": {"storage": storage}}, "accessModes": list(modes), "volumeMode": "Filesystem"}
    meta = {"name": "data", "namespace": "default", "uid": "u1", "resourceVersion": "7"}
    return {"metadata": meta, "spec": asked | spec}


def volume(name: str = "disk", storage: str = "1Gi", phase: str = "Available", labels=None, **spec) -> dict:
    has = {"capacity": {"storage": storage}, "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"}
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": has | spec, "status": {"phase": phase}}


def chosen(wanted: dict, *volumes: dict, **options) -> str:
    found = best_volume(wanted, list(volumes), options.pop("node", None), **options)
    return found["metadata"]["name"] if found else ""


def test_the_smallest_that_is_large_enough_is_taken():
    three = volume("small", "500Mi"), volume("large", "10Gi"), volume("right", "2Gi")
    assert chosen(claim("1Gi"), *three) == "right"
    assert chosen(claim("11Gi"), *three) == ""


@pytest.mark.parametrize(
    ("offered", "words"),
    [
        (volume(storage="1023Mi"), "requested PV is too small"),
        (volume(storageClassName="fast"), "storageClassName does not match"),
        (volume(volumeMode="Block"), "incompatible volumeMode"),
        (volume(accessModes=["ReadOnlyMany"]), "incompatible accessMode"),
        (volume(accessModes=["ReadOnlyMany", "ReadWriteOnce"]), ""),
    ],
)
def test_a_volume_that_is_not_what_was_asked_for_is_passed_over(offered, words):
    assert mismatch(offered, claim()) == words
    assert chosen(claim(), offered) == ("" if words else "disk")


def test_only_a_free_volume_is_taken():
    other = {"namespace": "default", "name": "other"}
    assert chosen(claim(), volume(phase="Released")) == chosen(claim(), volume(claimRef=other)) == ""


def test_a_volume_reserved_for_the_claim_comes_before_a_smaller_one():
    reserved = volume("reserved", "5Gi", claimRef={"namespace": "default", "name": "data"})
    assert chosen(claim(), volume(), reserved) == "reserved"
    assert chosen(claim(), volume(), any_free=False) == ""
    assert chosen(claim(), volume(), reserved, any_free=False) == "reserved"


def test_a_volume_of_an_earlier_claim_of_the_same_name_is_not_its_own():
    ref = {"namespace": "default", "name": "data", "uid": "u0"}
    assert chosen(claim(), volume(claimRef=ref)) == ""


def test_a_claim_may_select_by_labels():
    wanted = claim(selector={"matchLabels": {"tier": "gold"}})
    assert chosen(wanted, volume("plain"), volume("golden", labels={"tier": "gold"})) == "golden"


def test_a_volume_that_the_node_cannot_reach_is_passed_over():
    terms = [{"matchExpressions": [{"key": "orrery.io/runtime", "operator": "In", "values": ["docker"]}]}]
    bound_to = volume(nodeAffinity={"required": {"nodeSelectorTerms": terms}})
    here, there = ({"metadata": {"name": "n", "labels": {"orrery.io/runtime": on}}} for on in ("docker", "process"))
    assert reaches(bound_to, here) and not reaches(bound_to, there) and reaches(volume(), there)
    assert chosen(claim(), bound_to, node=there) == ""


def test_both_halves_are_written_once_and_undone_as_they_were():
    wanted, free = claim(), volume()
    taken, bound = claimed(free, wanted), given(wanted, free)
    assert taken["spec"]["claimRef"]["uid"] == "u1" and bound["spec"]["volumeName"] == "disk"
    assert claimed(taken, wanted) is taken and given(bound, free) is bound
    assert "claimRef" not in unclaimed(taken)["spec"] and "claimRef" not in free["spec"]
    by_hand = claimed(volume(claimRef={"namespace": "default", "name": "data"}), wanted)
    assert unclaimed(by_hand)["spec"]["claimRef"].keys() == {"apiVersion", "kind", "namespace", "name"}
