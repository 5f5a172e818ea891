"""The tokens in pods' volumes, with the API's own answers and a whole kubelet."""

import base64
import json

import pytest

from lab.apimachinery.kinds import PODS, SERVICEACCOUNTS
from lab.apiserver.access.tokens import InvalidToken, issuer, user_of_token
from lab.client import Client
from lab.kubelet import tokens
from lab.kubelet.records import PodRecord
from lab.kubelet.tokens import Tokens
from lab.kubelet.volumes import pod_folder
from tests.labs import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
SOURCE = {"expirationSeconds": 3607, "path": "token"}


def claims(token: str) -> dict:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def written(world, pod: dict) -> str:
    """The token as the pod's containers find it."""
    (volume,) = pod["spec"]["volumes"]
    folder = pod_folder(world.folder, pod["metadata"]["uid"]) / "volumes/kubernetes.io~projected"
    return (folder / volume["name"] / "token").read_text()


def test_each_container_has_a_token_that_is_its_pods_and_ends_with_it(world):
    world.start()
    world.pod()
    pod = world.running()
    token = written(world, pod)
    said = claims(token)
    assert said["exp"] - said["iat"] == 3607
    assert said["kubernetes.io"]["pod"] == {"name": "web", "uid": pod["metadata"]["uid"]}
    assert said["kubernetes.io"]["node"]["name"] == "node-a"
    user, meant = user_of_token(world.client.view(), token, [issuer("world")])
    assert (user.name, meant) == ("system:serviceaccount:default:default", [issuer("world")])
    assert user.extra["authentication.kubernetes.io/pod-name"] == ["web"]
    world.client.delete(PODS, "default", "web", grace_seconds=0)
    with pytest.raises(InvalidToken):
        user_of_token(world.client.view(), token, [issuer("world")])


def test_a_token_is_renewed_at_four_fifths_of_its_life_without_a_start(world, monkeypatch):
    monkeypatch.setattr(tokens, "RENEWED_AT", 2 / 3607)
    world.start()
    world.pod()
    pod = world.running()
    first = written(world, pod)
    wait_until("another token", lambda: written(world, pod) != first, 30)
    assert world.running()["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_kubelet_that_takes_over_renews_the_tokens_of_the_pods_it_finds(world):
    agent = world.start()
    world.pod()
    pod = world.running()
    first = written(world, pod)
    agent.stop()
    world.start()
    wait_until("another token", lambda: written(world, pod) != first, 30)


def test_a_pod_waits_for_its_account_and_begins_when_there_is_one(world):
    world.start()
    world.client.delete(SERVICEACCOUNTS, "default", "default")
    world.pod()
    told = lambda: [event for event in events(world) if event["reason"] == "FailedMount"]  # noqa: E731
    (event, *_) = wait_until("the kubelet to say why", told, 30)
    assert 'failed to fetch token: serviceaccounts "default" not found' in event["message"]
    assert "Pulled" not in {event["reason"] for event in events(world)}  # its volumes come before its images
    world.client.create(SERVICEACCOUNTS, {"metadata": {"name": "default", "namespace": "default"}})
    world.running()


def events(world) -> list[dict]:
    return [event for event in world.client.view().list("events") if event["involvedObject"]["name"] == "web"]


def test_an_old_token_is_kept_while_no_other_is_to_be_had_and_not_asked_for_all_the_time(world):
    pod = world.pod()
    record, kept = PodRecord("world", pod), Tokens(lambda cluster: Client(cluster, "kubelet"))
    token = kept.of(record, SOURCE)
    assert kept.of(record, SOURCE) == token and 2800 < kept.due(record.uid) <= 0.8 * 3607
    (own,) = kept._kept[record.uid].values()
    own.renew_at = 0
    world.client.delete(SERVICEACCOUNTS, "default", "default")
    assert kept.of(record, SOURCE) == token and 50 < kept.due(record.uid) <= 60
    kept.forget(record.uid)
    assert kept.due(record.uid) is None
