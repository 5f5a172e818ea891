"""The forms for what leads and steers: a service, visitors, a release, an autoscaler, a pool of machines.

Each is a list of fields and a function from what was typed to the object. The page shows the object as YAML while one
types: whoever reads it there can write it next time.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lab.apimachinery.kinds import DEPLOYMENTS, NODEPOOLS, NODES, RELEASES, SERVICES, VISITORS, Kind
from lab.client import Client

from .creating import whole
from .noderows import usual_runtime
from .servicerows import selects

Typed = dict[str, str]
STRATEGIES = (
    ("Canary", "Canary: a few visitors first, then more"),
    ("BlueGreen", "Blue-green: all visitors at once, and back at once"),
    ("RollingUpdate", "Rolling update: pod by pod"),
)
STEPS = {
    "careful": ("5, 20, 50 %, ten seconds each", [5, 20, 50], 10),
    "quick": ("20, 60 %, five seconds each", [20, 60], 5),
    "by hand": ("10 %, then you decide", [10], 0),
}
ANALYSIS = {"maxErrorPercent": 2, "maxLatencyRatio": 2, "minRequests": 50, "intervalSeconds": 1}
METRICS = {
    "cpu": "CPU, in percent of what is requested",
    "memory": "memory, in percent of what is requested",
    "requests_per_second": "requests a second and pod",
    "latency_ms": "mean latency of the service, in ms",
}


@dataclass(frozen=True)
class Field:
    """One line of a form. `options`: (value, words) to choose from; `only`: (other field, value) it is shown with."""

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    options: tuple[tuple[str, str], ...] = ()
    half: bool = False
    only: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Form:
    title: str
    hint: str
    button: str
    fields: Callable[[Client, str, str], list[Field]]  # by the namespace and name of what it is for
    object: Callable[[Client, Typed], dict]


def service_fields(client: Client, namespace: str, name: str) -> list[Field]:
    deployment = client.find(DEPLOYMENTS, namespace, name) if name else None
    return [
        _choice("deployment", "For", client, DEPLOYMENTS, namespace, name),
        Field("name", "Name", name),
        Field("port", "Port", "80", "number", half=True),
        Field("target", "Port of the pods", _port_of(deployment), half=True),
        Field("type", "Type", "ClusterIP", options=(("ClusterIP", "ClusterIP"), ("NodePort", "NodePort"))),
    ]


def service_object(client: Client, typed: Typed) -> dict:
    deployment = client.get(DEPLOYMENTS, typed["namespace"], typed.get("deployment", ""))
    target = typed.get("target", "")
    port = {
        "port": whole(typed.get("port") or "80", "port"),
        "targetPort": int(target) if target.isdecimal() else target,
    }
    name = typed.get("name") or typed.get("deployment", "")
    selector = deployment["spec"]["selector"].get("matchLabels", {})
    spec = {"selector": selector, "ports": [{"name": "http", **port}]}
    if typed.get("type") != "ClusterIP":
        spec["type"] = typed.get("type", "")
    return _object("v1", "Service", name, spec, typed)


def visitors_fields(client: Client, namespace: str, name: str) -> list[Field]:
    known = client.find(VISITORS, namespace, name) if name else None
    spec = known["spec"] if known else {}
    service = spec.get("service", "").partition(":")[0] or name
    return [
        _choice("service", "They visit", client, SERVICES, namespace, service),
        Field("name", "Name", name),
        Field("path", "Path", spec.get("path", "/")),
        Field("rate", "Requests a second", f"{spec.get('rate', 20):g}", "number", half=True),
        Field("concurrency", "At once, at most", str(spec.get("concurrency", 50)), "number", half=True),
        Field("think", "Each thinks for so many seconds", f"{spec.get('thinkSeconds', 0):g}"),
    ]


def visitors_object(client: Client, typed: Typed) -> dict:
    spec: dict = {"service": typed.get("service", ""), "path": typed.get("path") or "/"}
    spec["rate"] = amount(typed.get("rate") or "0", "requests a second")
    spec["concurrency"] = whole(typed.get("concurrency") or "50", "at once")
    if think := amount(typed.get("think") or "0", "seconds to think"):
        spec["thinkSeconds"] = think
        del spec["rate"]  # who thinks asks when he is ready, and not when a request is due
    return _object("orrery.io/v1", "Visitors", typed.get("name") or spec["service"], spec, typed)


def release_fields(client: Client, namespace: str, name: str) -> list[Field]:
    deployment = client.find(DEPLOYMENTS, namespace, name) if name else None
    image = deployment["spec"]["template"]["spec"]["containers"][0].get("image", "") if deployment else ""
    steps = tuple((key, words) for key, (words, *_) in STEPS.items())
    return [
        _choice("deployment", "Of", client, DEPLOYMENTS, namespace, name),
        Field("image", "New image", image),
        Field("strategy", "How", "Canary", options=STRATEGIES),
        Field("steps", "Steps", "careful", options=steps, only=("strategy", "Canary")),
        Field("analysis", "Judge it by its errors and latency", "on", "checkbox", only=("strategy", "Canary")),
        Field("keep", "Keep the old pods for so many seconds", "60", "number", only=("strategy", "BlueGreen")),
    ]


def release_object(client: Client, typed: Typed) -> dict:
    name, kind = typed.get("deployment", ""), typed.get("strategy", "Canary")
    services = _leading_to(client, typed["namespace"], name)
    strategy: dict = {"type": kind}
    if kind == "Canary":
        _, weights, seconds = STEPS[typed.get("steps") or "careful"]
        pause = {"pause": {"seconds": seconds} if seconds else {}}
        strategy["canary"] = {"steps": [step for weight in weights for step in ({"setWeight": weight}, pause)]}
        if typed.get("analysis"):
            strategy["canary"]["analysis"] = ANALYSIS
    elif kind == "BlueGreen":
        strategy["blueGreen"] = {"scaleDownDelaySeconds": whole(typed.get("keep") or "60", "seconds to keep")}
    spec = {"deployment": name, "image": typed.get("image", "").strip(), "strategy": strategy}
    if services:
        spec = {"deployment": name, "service": services[0], **spec}
    return _object("orrery.io/v1", "Release", free_name(name, client, RELEASES, typed["namespace"]), spec, typed)


def scaler_fields(client: Client, namespace: str, name: str) -> list[Field]:
    return [
        _choice("deployment", "For", client, DEPLOYMENTS, namespace, name),
        Field("least", "At least", "2", "number", half=True),
        Field("most", "At most", "10", "number", half=True),
        Field("metric", "So that", "cpu", options=tuple(METRICS.items())),
        Field("target", "stays near", "80", "number"),
    ]


def scaler_object(client: Client, typed: Typed) -> dict:
    name, metric = typed.get("deployment", ""), typed.get("metric", "cpu")
    target = whole(typed.get("target") or "80", "what it stays near")
    if metric == "latency_ms":
        services = _leading_to(client, typed["namespace"], name)
        if not services:
            raise ValueError(f"no service leads to {name}: its latency is not measured. Expose it first")
        described = {"apiVersion": "v1", "kind": "Service", "name": services[0]}
        held: dict = {"metric": {"name": metric}, "describedObject": described, "target": _target("Value", target)}
        measure = {"type": "Object", "object": held}
    elif metric == "requests_per_second":
        held = {"metric": {"name": metric}, "target": _target("AverageValue", target)}
        measure = {"type": "Pods", "pods": held}
    else:
        held = {"name": metric, "target": {"type": "Utilization", "averageUtilization": target}}
        measure = {"type": "Resource", "resource": held}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": whole(typed.get("least") or "1", "at least"),
        "maxReplicas": whole(typed.get("most") or "10", "at most"),
        "metrics": [measure],
    }
    return _object("autoscaling/v2", "HorizontalPodAutoscaler", name, spec, typed)


def _leading_to(client: Client, namespace: str, deployment: str) -> list[str]:
    """The services of a deployment by name. Raises ApiError 404."""
    obj = client.get(DEPLOYMENTS, namespace, deployment)
    return sorted(one["metadata"]["name"] for one in client.list(SERVICES, namespace) if selects(one, obj))


def _target(kind: str, amount: int) -> dict:
    return {"type": kind, kind[0].lower() + kind[1:]: str(amount)}


def pool_fields(client: Client, namespace: str, name: str) -> list[Field]:
    runtimes = (("process", "process"), ("docker", "docker"), ("simulated", "simulated"))
    return [
        Field("name", "Name", free_name("pool", client, NODEPOOLS)),
        Field("least", "At least", "0", "number", half=True),
        Field("most", "At most", "3", "number", half=True),
        Field("cpu", "CPU of each", "2", half=True),
        Field("memory", "Memory of each", "4Gi", half=True),
        Field("boot", "Seconds to boot", "8", "number", half=True),
        Field("idle", "Sold after idle seconds", "20", "number", half=True),
        Field("runtime", "Runtime", usual_runtime(client.list(NODES)) or "process", options=runtimes),
    ]


def pool_object(client: Client, typed: Typed) -> dict:
    spec = {
        "runtime": typed.get("runtime", ""),
        "minNodes": whole(typed.get("least") or "0", "at least"),
        "maxNodes": whole(typed.get("most") or "3", "at most"),
        "bootSeconds": whole(typed.get("boot") or "8", "seconds to boot"),
        "idleSeconds": whole(typed.get("idle") or "20", "idle seconds"),
        "capacity": {"cpu": typed.get("cpu") or "2", "memory": typed.get("memory") or "4Gi", "pods": "110"},
    }
    meta = {"name": typed.get("name", "").strip()}
    return {"apiVersion": "orrery.io/v1", "kind": "NodePool", "metadata": meta, "spec": spec}


def amount(text: str, what: str) -> float:
    """A number that may have a fraction. Raises ValueError in words."""
    try:
        number = float(text)
        return int(number) if number == int(number) else number
    except (ValueError, OverflowError):  # `inf` is a number to Python
        raise ValueError(f"{what} must be a number, not {text}") from None


def free_name(base: str, client: Client, kind: Kind, namespace: str = "") -> str:
    """`base` and the first number that nothing of that kind has."""
    taken = {one["metadata"]["name"] for one in client.list(kind, namespace)}
    return next(f"{base}-{number}" for number in range(1, len(taken) + 2) if f"{base}-{number}" not in taken)


def _object(version: str, kind: str, name: str, spec: dict, typed: Typed) -> dict:
    meta = {"name": name.strip(), "namespace": typed["namespace"]}
    return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}


def _choice(field: str, label: str, client: Client, kind: Kind, namespace: str, value: str) -> Field:
    names = sorted(obj["metadata"]["name"] for obj in client.list(kind, namespace))
    return Field(field, label, value, options=tuple((name, name) for name in names))


def _port_of(deployment: dict | None) -> str:
    """The first port that its containers declare, by name if it has one: a name outlives a change of the number."""
    containers = deployment["spec"]["template"]["spec"]["containers"] if deployment else ()
    ports = [port for container in containers for port in container.get("ports", ())]
    return str(ports[0].get("name") or ports[0]["containerPort"]) if ports else "8080"


FORMS = {
    "expose": Form(
        "A service",
        "One name and one address for all pods of a deployment: whoever asks it is led to one that is ready.",
        "Expose",
        service_fields,
        service_object,
    ),
    "visitors": Form(
        "Visitors",
        "People who ask for a page again and again, through the front door, each answer counted.",
        "Let them come",
        visitors_fields,
        visitors_object,
    ),
    "release": Form(
        "A release",
        "A new version brought to its visitors step by step, with a way back.",
        "Start the release",
        release_fields,
        release_object,
    ),
    "autoscale": Form(
        "An autoscaler",
        "More pods while they have much to do, fewer when they have not.",
        "Scale by itself",
        scaler_fields,
        scaler_object,
    ),
    "pool": Form(
        "A pool of machines",
        "Machines that are bought while pods find no room, and sold when they stand idle.",
        "Declare the pool",
        pool_fields,
        pool_object,
    ),
}
