"""LimitRanges: what they give, what they refuse, in Kubernetes' words, and what they may not say themselves."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LIMITRANGES, PERSISTENTVOLUMECLAIMS, PODS
from lab.client import Client
from lab.client.clusters import ensure_cluster

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    ensure_cluster("limited")
    return Client("limited", "test")


def limits(client: Client, kind: str = "Container", name: str = "limits", **bounds: dict) -> dict:
    spec = {"limits": [{"type": kind, **bounds}]}
    return client.create(LIMITRANGES, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})


def pod(client: Client, *containers: dict, **spec) -> dict:
    listed = [{"name": f"c{at}", "image": "x", "resources": each} for at, each in enumerate(containers)]
    made = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"containers": listed, **spec}}
    return client.create(PODS, made)


def refusal(call, *words, **more) -> str:
    with pytest.raises(ApiError) as refused:
        call(*words, **more)
    return f"{refused.value.code} {refused.value.message}"


def test_the_defaults_follow_from_each_other(client):
    item = limits(client, max={"cpu": "2"}, min={"cpu": "0.1", "memory": "64Mi"})["spec"]["limits"][0]
    assert item["default"] == {"cpu": "2"}
    assert item["defaultRequest"] == {"cpu": "2", "memory": "64Mi"}
    assert item["min"] == {"cpu": "100m", "memory": "64Mi"}


def test_a_container_that_does_not_say_is_given_it_and_the_pod_is_told(client):
    limits(client, default={"cpu": "500m", "memory": "128Mi"}, defaultRequest={"cpu": "250m", "memory": "64Mi"})
    init = [{"name": "first", "image": "x", "resources": {"limits": {"cpu": "1"}}}]
    made = pod(client, {}, {"requests": {"cpu": "100m"}}, initContainers=init)
    one, other = (each["resources"] for each in made["spec"]["containers"])
    assert one == {
        "limits": {"cpu": "500m", "memory": "128Mi"},
        "requests": {"cpu": "250m", "memory": "64Mi"},
    }
    assert (other["requests"]["cpu"], other["limits"]["cpu"]) == ("100m", "500m")
    first = made["spec"]["initContainers"][0]["resources"]
    assert (first["requests"]["cpu"], first["limits"]["cpu"]) == ("1", "1")
    assert made["status"]["qosClass"] == "Burstable"
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu, memory request for container c0; cpu, memory limit for container c0; "
        "memory request for container c1; cpu, memory limit for container c1; "
        "memory request for init container first; memory limit for init container first"
    )


LITTLE, FAR = {"requests": {"cpu": "100m"}}, {"requests": {"cpu": "100m"}, "limits": {"cpu": "300m"}}


@pytest.mark.parametrize(
    ("kind", "bounds", "asked", "words"),
    [
        (
            "Container",
            {"max": {"cpu": "1"}},
            {"limits": {"cpu": "2"}},
            "maximum cpu usage per Container is 1, but limit is 2",
        ),
        ("Container", {"min": {"cpu": "200m"}}, LITTLE, "minimum cpu usage per Container is 200m, but request is 100m"),
        ("Pod", {"max": {"memory": "1Gi"}}, {}, "maximum memory usage per Pod is 1Gi.  No limit is specified"),
        ("Pod", {"min": {"memory": "1Gi"}}, {}, "minimum memory usage per Pod is 1Gi.  No request is specified"),
        (
            "Container",
            {"maxLimitRequestRatio": {"cpu": "2"}},
            FAR,
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
        (
            "Pod",
            {"maxLimitRequestRatio": {"cpu": "2"}},
            LITTLE,
            "cpu max limit to request ratio per Pod is 2, but no limit is specified or limit is 0",
        ),
    ],
)
def test_a_pod_outside_the_bounds_is_refused(client, kind, bounds, asked, words):
    limits(client, kind, **bounds)
    assert refusal(pod, client, asked) == f'403 pods "web" is forbidden: {words}'


def test_the_containers_of_a_pod_count_together(client):
    limits(client, "Pod", max={"cpu": "1"})
    half = {"limits": {"cpu": "600m"}}
    assert refusal(pod, client, half, half).endswith("maximum cpu usage per Pod is 1, but limit is 1200m")
    assert pod(client, half)["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "600m"}


def test_all_that_is_wrong_is_said_at_once(client):
    limits(client, max={"cpu": "1", "memory": "1Gi"})
    asked = {"limits": {"cpu": "2", "memory": "2Gi"}}
    cpu = "maximum cpu usage per Container is 1, but limit is 2"
    memory = "maximum memory usage per Container is 1Gi, but limit is 2Gi"
    assert refusal(pod, client, asked, asked).endswith(f"[{cpu}, {memory}]")


def test_claims_have_bounds_of_their_own(client):
    limits(client, "PersistentVolumeClaim", min={"storage": "1Gi"}, max={"storage": "2Gi"})

    def claim(size: str) -> dict:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
        return client.create(
            PERSISTENTVOLUMECLAIMS, {"metadata": {"name": f"d-{size.lower()}", "namespace": "default"}, "spec": spec}
        )

    assert refusal(claim, "3Gi").endswith("maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi")
    assert refusal(claim, "512Mi").endswith(
        "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi"
    )
    assert claim("2Gi")["status"]["phase"] == "Pending"


def cpu(**bounds: str) -> dict:
    return {bound: {"cpu": quantity} for bound, quantity in bounds.items()}


@pytest.mark.parametrize(
    ("kind", "bounds", "words"),
    [
        ("Container", cpu(min="2", max="1"), 'min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'),
        (
            "Container",
            cpu(default="2", max="1"),
            'spec.limits[0].default[cpu]: Invalid value: "1": default value 2 is greater than max value 1',
        ),
        (
            "Container",
            cpu(defaultRequest="2", default="1"),
            "default request value 2 is greater than default limit value 1",
        ),
        ("Pod", cpu(default="2"), "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"),
        ("Pod", {"max": {"storage": "2"}}, "must be a standard resource for containers"),
        ("Engine", cpu(max="2"), "must be a standard limit type or fully qualified"),
        ("PersistentVolumeClaim", {}, "either minimum or maximum storage value is required, but neither was provided"),
        ("Container", cpu(maxLimitRequestRatio="0.5"), 'Invalid value: "500m": ratio 500m is less than 1'),
        ("Pod", cpu(maxLimitRequestRatio="4", min="1", max="2"), "ratio 4 is greater than max/min = 2.000000"),
    ],
)
def test_a_range_that_contradicts_itself_is_refused(client, kind, bounds, words):
    assert words in refusal(limits, client, kind, **bounds)
