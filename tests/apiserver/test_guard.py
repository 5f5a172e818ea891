"""A stranger's cluster: what may run in it, and how much there may be, whoever in it says otherwise."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import BUILDS, CONFIGMAPS, CRONJOBS, DEPLOYMENTS, LEASES, LIMITRANGES, PODS, VISITORS, Kind
from lab.apiserver import registry
from lab.apiserver.admission import guard
from lab.apiserver.request import Request
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.models import OUR_IMAGES, Cluster

pytestmark = pytest.mark.django_db


@pytest.fixture
def learner() -> Client:
    ensure_cluster("held", OUR_IMAGES)
    return Client("held", "kubectl")


def named(name: str = "x", **more) -> dict:
    return {"metadata": {"name": name, "namespace": "default"}, **more}


def pod(image: str = "orrery/hello:v1", volumes: tuple = (), **container) -> dict:
    return {"containers": [{"name": "c", "image": image, **container}], "volumes": list(volumes)}


def deployed(spec: dict) -> dict:
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return named(spec={"replicas": 1, "selector": {"matchLabels": labels}, "template": template})


def daily(spec: dict) -> dict:
    template = {"spec": {"template": {"spec": {**spec, "restartPolicy": "Never"}}}}
    return named(spec={"schedule": "0 5 * * *", "jobTemplate": template})


def build(dockerfile: str, **more: str) -> dict:
    return named(spec={"deployment": "x", "files": {"Dockerfile": dockerfile}, **more})


def visitors(**more: int) -> dict:
    return named(spec={"service": "x", **more})


REFUSED = {
    "an image from elsewhere": (PODS, named(spec=pod("nginx")), '"nginx"; use one of orrery/*, mine/*, or ask'),
    "one that only begins alike": (PODS, named(spec=pod("elsewhere.example/orrery/hello:v1")), "image"),
    "an init container's": (
        PODS, named(spec={**pod(), "initContainers": [{"name": "i", "image": "nginx"}]}), "initContainers[0].image",
    ),
    "a deployment's": (DEPLOYMENTS, deployed(pod("nginx")), 'containers[0].image: not allowed here is "nginx"'),
    "a cron job's": (CRONJOBS, daily(pod("nginx")), "image"),
    "a folder of the machine": (
        PODS, named(spec=pod(volumes=({"name": "v", "hostPath": {"path": "/"}},))), "hostPath; use an emptyDir",
    ),
    "a port of the machine": (
        PODS, named(spec=pod(ports=[{"containerPort": 80, "hostPort": 80}])), "hostPort; use a Service",
    ),
    "a capability": (
        PODS, named(spec=pod(securityContext={"capabilities": {"add": ["CHOWN"]}})), "CHOWN; leave it out",
    ),
    "a build on an image from elsewhere": (BUILDS, build("FROM nginx"), "nginx"),
    "a build with a step that runs": (BUILDS, build("FROM orrery/hello:v1\nRUN dd of=/x"), "RUN; use COPY"),
    "a build that copies from an image": (
        BUILDS, build("FROM orrery/hello:v1\nCOPY --chown=0 \\\n --from=127.0.0.1:80/x / /x"), "COPY --from; copy",
    ),
    "a build that does so in quotes": (BUILDS, build('FROM orrery/hello:v1\nCOPY --f"ro"m=x / /'), "COPY --from"),
    "a build with a name from elsewhere": (BUILDS, build("FROM orrery/hello:v1", repository="nginx"), "repository"),
    "a build with a name of the lab's": (
        BUILDS, build("FROM orrery/hello:v1", repository="orrery/hello"), "begin it with mine/",
    ),
    "a build that says whose it is": (BUILDS, build("FROM orrery/hello:v1\nlabel a=b"), "LABEL; leave it out"),
    "a build on two images": (BUILDS, build("FROM orrery/hello:v1\nFROM orrery/hello:v2"), "a second FROM"),
    "a build without an end": (
        BUILDS, build("FROM orrery/hello:v1\n" + "ENV A=b\n" * guard.MOST_STEPS), "is 51 steps; at most 50",
    ),
    "too many visitors": (VISITORS, visitors(rate=5000), "rate: not allowed here is 5000; at most 200"),
    "a crowd": (VISITORS, visitors(concurrency=1000), "concurrency"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_learner_is_refused_and_told_what_to_do(learner, what):
    kind, obj, words = REFUSED[what]
    with pytest.raises(ApiError) as refusal:
        learner.create(kind, obj)
    assert (refusal.value.code, refusal.value.reason) == (403, "Forbidden")
    assert words in refusal.value.message and refusal.value.details["causes"]


@pytest.mark.parametrize("what", [what for what in REFUSED if "capability" not in what])
def test_whose_lab_it_is_goes_on_as_ever(what):
    ensure_cluster("own")
    kind, obj, _ = REFUSED[what]
    assert Client("own", "kubectl").create(kind, obj)


SMUGGLED = (
    "ADD http://x /y",
    "A\\\rDD http://x /y",
    "ENV A=b\rADD http://x /y",
    "ENV A=b \\\u2028ADD http://x /y",
    "R\\\x85UN dd of=/x",
    "R\\\nUN dd of=/x",
    "# a \\\nRUN dd of=/x",
    "F\\\vROM nginx",
    "FROM\fnginx",
    "from\xa0nginx",
    "\xa0ADD http://x /y",
    "COPY --from\\\x1c=x / /",
    "COPY --chown=0 --fr\\\nom=x / /",
    "COPY\t--from=x / /",
    "COPY --chown=à--from=evil/img / /",
    "COPY --chown=0\\ à--from=evil/img / /",
    "COPY --chown=0\u2003--from=evil/img / /",
    "COPY <<EOF /x\nENV A=b\nEOF",
    "ONBUİLD ADD http://x /y",
    "OnBuild COPY --from=x / /",
    "ENV A=b \\\\\n\n",
    "# escape=`\nENV A=b `\nRUN dd of=/x",
)


@pytest.mark.parametrize("step", SMUGGLED)
def test_a_build_has_no_step_that_only_the_engine_would_see(learner, step):
    with pytest.raises(ApiError, match=r"files\[Dockerfile\]") as refusal:
        learner.create(BUILDS, build(f"FROM orrery/hello:v1\n{step}\n"))
    assert refusal.value.code == 403


ALLOWED: list[tuple[Kind, dict]] = [
    (PODS, named(spec=pod(securityContext={"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}))),
    (PODS, named(spec=pod("mine/shop:v1", volumes=({"name": "v", "emptyDir": {}},)))),
    (DEPLOYMENTS, deployed(pod("orrery/hello:no-such-tag"))),  # what a lesson breaks on purpose
    (BUILDS, build("FROM orrery/hello:v1\nCOPY page.html /app/\nENV A=b", repository="mine/shop")),
    (BUILDS, build("# Mine \\\r\n\r\nFROM orrery/hello:v1\r\ncopy --chown=0 \\\r\n\ta \\\r\n  # à\r\n  /app/\r\n")),
    (BUILDS, build("FROM orrery/hello:v1\n" + "ENV A=à\n" * (guard.MOST_STEPS - 1))),
    (VISITORS, visitors(rate=50, concurrency=100)),
]


@pytest.mark.parametrize(("kind", "obj"), ALLOWED)
def test_what_lessons_do_is_allowed(learner, kind, obj):
    assert learner.create(kind, obj)


def test_an_image_is_looked_at_when_it_is_set_and_not_with_each_change(learner):
    made = learner.create(DEPLOYMENTS, deployed(pod()))
    with pytest.raises(ApiError, match="nginx"):
        learner.patch(DEPLOYMENTS, "default", "x", {"spec": {"template": {"spec": pod("nginx")}}})
    # Its list may become shorter.
    Cluster.objects.filter(name="held").update(guard="mine/*")
    assert learner.patch(DEPLOYMENTS, "default", "x", {"spec": {"replicas": 2}}) != made
    with pytest.raises(ApiError, match="use one of mine/"):
        learner.create(PODS, named("another", spec=pod()))


def test_who_looks_into_a_pod_brings_no_image_from_elsewhere(learner):
    made = learner.create(PODS, named(spec=pod()))
    looked = {**made, "spec": {**made["spec"], "ephemeralContainers": [{"name": "debugger", "image": "busybox"}]}}
    with pytest.raises(ApiError, match="ephemeralContainers"):
        registry.update(Request("held", "kubectl"), PODS, "default", "x", looked, "ephemeralcontainers")


def test_a_class_may_have_smaller_clusters(learner):
    Cluster.objects.filter(name="held").update(guard="orrery/* pods=1")
    learner.create(PODS, named("a", spec=pod()))
    with pytest.raises(ApiError, match="exceeded quota: workshop, requested: pods=1, used: pods=1, limited: pods=1"):
        learner.create(PODS, named("b", spec=pod()))


def test_there_is_a_most_of_everything_and_none_of_it_can_be_deleted(learner, monkeypatch):
    monkeypatch.setitem(guard.MOST, PODS.resource, 2)
    for name in "ab":
        learner.create(PODS, named(name, spec=pod()))
    with pytest.raises(ApiError, match="exceeded quota: workshop, requested: pods=1, used: pods=2, limited: pods=2"):
        learner.create(PODS, named("c", spec=pod()))
    with pytest.raises(ApiError, match="requested: pods=2"):
        learner.create_many(PODS, [named("d", spec=pod()), named("e", spec=pod())])
    learner.delete(PODS, "default", "a", grace_seconds=0)
    assert learner.create(PODS, named("c", spec=pod()))
    assert not learner.list(LIMITRANGES)
    monkeypatch.setitem(guard.MOST, LEASES.resource, 1)
    learner.create(LEASES, named("a"))
    with pytest.raises(ApiError, match="leases"):
        learner.create(LEASES, named("b"))
    monkeypatch.setattr(guard, "MOST_OBJECTS", 0)
    with pytest.raises(ApiError, match="objects="):
        learner.create(CONFIGMAPS, named())


def test_a_pod_has_few_containers(learner):
    many = [{"name": f"c{n}", "image": "orrery/hello:v1"} for n in range(guard.MOST_CONTAINERS + 1)]
    learner.create(PODS, named("fits", spec={"containers": many[1:], "initContainers": many[:1]}))
    for spec in (
        {"containers": many},
        {"containers": many[:1], "initContainers": many[1:] + [{**many[0], "name": "x"}]},
    ):
        with pytest.raises(ApiError, match="at most 8"):
            learner.create(PODS, named("full", spec=spec))


def test_no_object_is_large(learner):
    small = learner.create(CONFIGMAPS, named(data={"a": "x" * 100_000}))
    assert small
    with pytest.raises(ApiError) as refusal:
        learner.patch(CONFIGMAPS, "default", "x", {"data": {"b": "x" * 100_000}})
    assert refusal.value.code == 413
