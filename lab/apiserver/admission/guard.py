"""What a stranger's cluster is held to, above the level "baseline" that holds for every pod: a learner of a workshop is
administrator in it, so no LimitRange, ResourceQuota or role that they could delete will do.

Pure. `view.guard` are the images that may run there, as patterns, and perhaps fewer of a kind than anybody may have:
`orrery/* mine/* pods=40`; empty: the cluster is nobody's but the lab's owner's.
Of Kubernetes' level "restricted" the parts that a container can be given without its being asked, the kubelet gives:
see `lab/runtime/docker/strangers.py`. What each container may use at most stands there too.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

import orjson

from lab.apimachinery import errors
from lab.apimachinery.errors import ApiError, Cause
from lab.apimachinery.kinds import (
    BUILDS,
    BY_RESOURCE,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    EVENTS,
    JOBS,
    LEASES,
    NAMESPACES,
    NODEPOOLS,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    PODTEMPLATES,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    STATEFULSETS,
    VISITORS,
    Kind,
)
from lab.runtime import dockerfile
from lab.store import View, Write

CAPABILITIES = frozenset(("NET_BIND_SERVICE", "SYS_PTRACE"))  # as in "restricted", and what `kubectl debug` asks for
TEMPLATE = ("spec", "template", "spec")
POD_SPECS = {
    PODS.resource: ("spec",),
    PODTEMPLATES.resource: ("template", "spec"),
    CRONJOBS.resource: ("spec", "jobTemplate", *TEMPLATE),
    **dict.fromkeys(
        (each.resource for each in (DEPLOYMENTS, REPLICASETS, STATEFULSETS, DAEMONSETS, REPLICATIONCONTROLLERS, JOBS)),
        TEMPLATE,
    ),
}
CHECKED = frozenset((*POD_SPECS, BUILDS.resource, VISITORS.resource))
MOST_RATE, MOST_CONCURRENCY = 200, 200  # of one Visitors
# The most that there may be of a kind, and of all together; what the lab itself writes without end, it also takes away.
MOST = {
    PODS.resource: 100,
    NODES.resource: 20,
    NODEPOOLS.resource: 5,
    NAMESPACES.resource: 20,
    PERSISTENTVOLUMECLAIMS.resource: 10,
    VISITORS.resource: 10,
    BUILDS.resource: 20,
    EVENTS.resource: 4000,
    LEASES.resource: 100,
}
MOST_OBJECTS = 2000
MOST_CONTAINERS = 8  # of a kind in one pod: each that fails is started again, before all that is new
NOT_COUNTED = (EVENTS.resource, LEASES.resource)
MOST_BYTES = 128 * 1024  # of one object
MOST_OF_BUILD = 384 * 1024  # with 256 KiB of files, and its log
MOST_STEPS = 50  # of one build: each that fails leaves the layers that it got to
NOT_IN_BUILDS = {
    "RUN": "use COPY, ENV and CMD",
    "LABEL": "leave it out; by its labels the lab finds again what a build has left",
}
MINE = "mine/"  # all other names of images are not for learners to give: every cluster of an engine sees them
ASK = "ask your instructor for another"


def check(view: View, kind: Kind, obj: dict, old: dict | None = None) -> None:
    """Raises ApiError 403 with all that is wrong with `obj`, which is to be created or to take the place of `old`."""
    if not view.guard:
        return
    images = tuple(word for word in view.guard.split() if "=" not in word)
    spec, was = _pod_spec(kind, obj), _pod_spec(kind, old or {})
    wrong = list(_of_pod(images, spec)) if spec and spec != was else []
    if kind is BUILDS and old is None:
        wrong += _of_build(images, obj["spec"])
    if kind is VISITORS:
        wrong += _of_visitors(obj["spec"])
    if wrong:
        told = "; ".join(f"{cause.field}: {cause.message}" for cause in wrong)
        raise errors.forbidden(
            kind, obj["metadata"].get("name", ""), f"violates the workshop's rules: {told}", (*wrong,)
        )


def _pod_spec(kind: Kind, obj: dict) -> dict:
    if kind.resource not in POD_SPECS:
        return {}
    for field in POD_SPECS[kind.resource]:
        obj = obj.get(field) or {}
    return obj


def _of_pod(images: tuple[str, ...], spec: dict) -> Iterator[Cause]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        if len(spec.get(field) or ()) > MOST_CONTAINERS:
            yield _wrong(field, f"{len(spec[field])}; at most {MOST_CONTAINERS}")
        for at, container in enumerate(spec.get(field) or ()):
            path = f"{field}[{at}]"
            yield from _of_image(images, container.get("image", ""), f"{path}.image")
            context = container.get("securityContext") or {}
            for name in (context.get("capabilities") or {}).get("add") or ():
                if name.removeprefix("CAP_") not in CAPABILITIES:
                    yield _wrong(f"{path}.securityContext.capabilities.add", f"{name}; leave it out")
            if any(port.get("hostPort") for port in container.get("ports") or ()):
                yield _wrong(f"{path}.ports", "hostPort; use a Service")
    for at, volume in enumerate(spec.get("volumes") or ()):
        if "hostPath" in volume:
            yield _wrong(f"volumes[{at}]", "hostPath; use an emptyDir or a PersistentVolumeClaim")


def _of_image(images: tuple[str, ...], image: str, path: str) -> Iterator[Cause]:
    if not any(fnmatchcase(image, pattern) for pattern in images):
        yield _wrong(path, f'"{image}"; use one of {", ".join(images)}, or {ASK}')


def _of_build(images: tuple[str, ...], spec: dict) -> Iterator[Cause]:
    """An image is made of files on an allowed one. A step that runs could fill the engine's disk, and so could one that
    copies a whole image into itself; and any other image that it names, the engine would get from any registry."""
    if not spec.get("repository", MINE).startswith(MINE):
        yield _wrong("repository", f'"{spec["repository"]}"; begin it with {MINE}')
    path = "files[Dockerfile]"
    try:
        # What the engine will be given, and not what somebody wrote.
        files = dockerfile.as_read({name: text.encode() for name, text in (spec.get("files") or {}).items()})
    except ValueError as error:
        yield _wrong(path, str(error))
        return
    for base in dockerfile.bases(files):
        yield from _of_image(images, base, f"{path}: FROM")
    words = [step.word for step in dockerfile.steps(files)]
    for word, instead in NOT_IN_BUILDS.items():
        if word in words:
            yield _wrong(path, f"{word}; {instead}")
    if dockerfile.copies_from_elsewhere(files):
        yield _wrong(path, "COPY --from; copy your own files")
    if words.count("FROM") > 1:
        yield _wrong(path, "a second FROM; an image stands on one other")
    if len(words) > MOST_STEPS:
        yield _wrong(path, f"{len(words)} steps; at most {MOST_STEPS}")


def _of_visitors(spec: dict) -> Iterator[Cause]:
    for field, most in (("rate", MOST_RATE), ("concurrency", MOST_CONCURRENCY)):
        if spec.get(field, 0) > most:
            yield _wrong(field, f"{spec[field]}; at most {most}")


def _wrong(path: str, what: str) -> Cause:
    return Cause(path, f"not allowed here is {what}", "FieldValueForbidden")


def check_room(state: View, writes: list[Write]) -> None:
    """Raises ApiError 403 if there is no room for these writes, which would follow `state`: under the store's lock."""
    if not state.guard:
        return
    limits = (word.partition("=") for word in state.guard.split())
    most = MOST | {name: int(number) for name, _, number in limits if number}
    made = [write for write in writes if not write.expected and not write.deleted]
    for resource in {write.resource for write in made}.intersection(most):
        _check_count(resource, state.count(resource), most[resource], [w for w in made if w.resource == resource])
    counted = [write for write in made if write.resource not in NOT_COUNTED]
    if counted:
        _check_count(
            "objects", sum(map(state.count, set(state.resources()).difference(NOT_COUNTED))), MOST_OBJECTS, counted
        )
    for write in writes:
        size = MOST_OF_BUILD if write.resource == BUILDS.resource else MOST_BYTES
        if not write.deleted and len(orjson.dumps(write.object)) > size:
            raise ApiError(413, "RequestEntityTooLarge", f"{write.resource} {write.name}: at most {size} bytes")


def _check_count(what: str, used: int, most: int, writes: list[Write]) -> None:
    if used + len(writes) > most:
        room = f"requested: {what}={len(writes)}, used: {what}={used}, limited: {what}={most}"
        why = f"exceeded quota: workshop, {room}; delete what you do not need"
        raise errors.forbidden(BY_RESOURCE[writes[0].resource], writes[0].name, why)
