"""A namespace is emptied before it goes, and events are forgotten when they are old."""

import datetime

import pytest
from django.conf import settings

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import CONFIGMAPS, DEPLOYMENTS, EVENTS, NAMESPACES, PODS
from lab.apimachinery.meta import condition, is_deleting, now, parse_time
from lab.controllers import eventttl
from lab.controllers.eventttl import EventTTLController, expired
from lab.models import Cluster

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(cluster):
    cluster.client.create(NAMESPACES, {"metadata": {"name": "shop"}})
    return cluster


def test_an_empty_namespace_goes_at_once(shop):
    assert not shop.client.delete(NAMESPACES, "", "shop")
    shop.settle()
    assert shop.client.find(NAMESPACES, "", "shop") is None


def test_a_namespace_waits_for_its_pods_and_says_so_and_takes_everything_along(shop):
    shop.add_node("n1")
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    shop.client.create(DEPLOYMENTS, {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
    shop.client.create(CONFIGMAPS, {"metadata": {"name": "settings", "namespace": "shop"}})
    shop.settle()
    shop.bind("n1")
    shop.client.delete(NAMESPACES, "", "shop")
    shop.settle()
    assert len(shop.pods()) == 2 and all(map(is_deleting, shop.pods()))
    assert shop.client.find(CONFIGMAPS, "shop", "settings"), "pods go first, while what they use is still there"
    going = shop.client.get(NAMESPACES, "", "shop")
    assert {c["type"]: (c["status"], c["reason"]) for c in going["status"]["conditions"]} == {
        "NamespaceDeletionDiscoveryFailure": ("False", "ResourcesDiscovered"),
        "NamespaceDeletionGroupVersionParsingFailure": ("False", "ParsedGroupVersions"),
        "NamespaceDeletionContentFailure": ("False", "ContentDeleted"),
        "NamespaceContentRemaining": ("True", "SomeResourcesRemain"),
        "NamespaceFinalizersRemaining": ("False", "ContentHasNoFinalizers"),
    }
    words = condition(going, "NamespaceContentRemaining")["message"]
    assert "deployments.apps has 1 resource instances" in words and "pods. has 2 resource instances" in words
    for pod in shop.pods():
        shop.client.delete(PODS, "shop", pod["metadata"]["name"], grace_seconds=0)
    shop.settle()
    assert shop.client.find(NAMESPACES, "", "shop") is None
    assert not [obj for obj in shop.client.view() if obj["metadata"].get("namespace") == "shop"]


def test_a_namespace_names_the_finalizers_that_hold_it(shop):
    meta = {"name": "held", "namespace": "shop", "finalizers": ["example.com/wait"]}
    held = shop.client.create(CONFIGMAPS, {"metadata": meta})
    shop.client.delete(NAMESPACES, "", "shop")
    shop.settle()
    told = condition(shop.client.get(NAMESPACES, "", "shop"), "NamespaceFinalizersRemaining")
    assert told["message"].endswith("example.com/wait in 1 resource instances")
    shop.client.patch(CONFIGMAPS, "shop", held["metadata"]["name"], {"metadata": {"finalizers": None}})
    shop.settle()
    assert shop.client.find(NAMESPACES, "", "shop") is None


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_what_every_cluster_needs_cannot_be_deleted(cluster, name):
    with pytest.raises(ApiError) as refused:
        cluster.client.delete(NAMESPACES, "", name)
    message = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
    assert (refused.value.code, refused.value.message) == (403, message)


def test_only_old_events_are_forgotten(cluster):
    namespace = cluster.client.get(NAMESPACES, "", "default")
    cluster.client.event(namespace, "Normal", "Old", "long ago")
    old = cluster.client.list(EVENTS)[0]
    long_ago = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    cluster.client.update(EVENTS, {**old, "lastTimestamp": long_ago})
    cluster.client.event(namespace, "Normal", "New", "just now")
    cluster.settle(EventTTLController())
    assert [event["reason"] for event in cluster.client.list(EVENTS)] == ["New"]


def test_in_a_class_the_oldest_events_make_room_for_new_ones(cluster, monkeypatch):
    monkeypatch.setattr(eventttl, "MOST_OF_CLASS", 3)
    namespace = cluster.client.get(NAMESPACES, "", "default")

    def reasons() -> list[str]:
        return sorted(event["reason"] for event in cluster.client.list(EVENTS))

    for number in range(5):
        cluster.client.event(namespace, "Normal", f"Number{number}", "it happened")
        newest = next(event for event in cluster.client.list(EVENTS) if event["reason"] == f"Number{number}")
        happened = f"{now()[:10]}T00:00:0{number}Z"
        cluster.client.update(EVENTS, {**newest, "firstTimestamp": happened, "lastTimestamp": happened})
    monkeypatch.setitem(settings.CLOCK, "event_ttl", 100_000.0)
    EventTTLController().sync(cluster.client, eventttl.OLD_EVENTS)
    assert len(reasons()) == 5  # a cluster of one's own has room
    Cluster.objects.update(guard="orrery/*")
    EventTTLController().sync(cluster.client, eventttl.OLD_EVENTS)
    assert reasons() == ["Number2", "Number3", "Number4"]
    # What is too old goes as well, in the same round, and is no reason to leave a crowd.
    cluster.client.event(namespace, "Normal", "Number5", "it happened")
    oldest = next(event for event in cluster.client.list(EVENTS) if event["reason"] == "Number2")
    cluster.client.event(namespace, "Normal", "Number6", "it happened")
    cluster.client.update(EVENTS, {**oldest, "lastTimestamp": "2020-01-01T00:00:00Z"})
    EventTTLController().sync(cluster.client, eventttl.OLD_EVENTS)
    assert reasons() == ["Number4", "Number5", "Number6"]


def test_an_event_is_as_old_as_its_last_happening():
    created = {"creationTimestamp": "2026-05-20T10:00:00Z"}
    again = {"metadata": created, "eventTime": "2026-05-20T10:00:00.000000Z", "series": {}}
    again["series"]["lastObservedTime"] = "2026-05-20T12:00:00.000000Z"
    once = {"metadata": created}
    assert expired([again, once], parse_time("2026-05-20T11:00:00Z")) == [once]
