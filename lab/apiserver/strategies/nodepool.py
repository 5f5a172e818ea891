"""NodePool: machines that may be bought when pods find no room.

In Kubernetes this is the cloud's affair (an autoscaling group), or a kind of the Cluster API: a MachineDeployment.
"""

from collections.abc import Iterator

from django.conf import settings

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.quantity import milli_value

from .base import Strategy
from .causes import invalid, not_negative, one_of, unlike
from .node import DISK, DISK_SIZE
from .podspec.resources import canonicalise

RUNTIMES = ("docker", "process", "simulated")
CAPACITY = {"cpu": "4", "memory": "8Gi", "pods": "110", DISK: DISK_SIZE}
MOST_NODES = 100
LONGEST = {"bootSeconds": 24 * 3600, "idleSeconds": 30 * 24 * 3600}  # past any calendar no time could be written


class NodePoolStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("minNodes", 0)
        spec.setdefault("maxNodes", max(3, spec["minNodes"]))
        spec.setdefault("bootSeconds", settings.CLOCK["node_boot"])
        spec.setdefault("idleSeconds", settings.CLOCK["node_idle"])
        spec["capacity"] = {**CAPACITY, **(spec.get("capacity") or {})}
        canonicalise(spec["capacity"])

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec, name = obj["spec"], obj["metadata"]["name"]
        # Its machines are called so, and each carries its own name, and the pool's, as a label.
        yield from unlike("metadata.name", name, names.label_value(f"{name}-{MOST_NODES}"))
        for field in ("minNodes", "bootSeconds", "idleSeconds"):
            yield from not_negative(f"spec.{field}", spec[field])
        for field, most in LONGEST.items():
            if spec[field] > most:
                yield invalid(f"spec.{field}", spec[field], f"must be less than or equal to {most}")
        if spec["maxNodes"] < spec["minNodes"]:
            yield invalid("spec.maxNodes", spec["maxNodes"], "must be greater than or equal to `minNodes`")
        if spec["maxNodes"] > MOST_NODES:
            yield invalid("spec.maxNodes", spec["maxNodes"], f"must be less than or equal to {MOST_NODES}")
        if "runtime" in spec:
            yield from one_of("spec.runtime", spec["runtime"], RUNTIMES)
        for resource, quantity in spec["capacity"].items():
            yield from not_negative(f"spec.capacity.[{resource}]", milli_value(quantity))
        for key, value in (spec.get("labels") or {}).items():
            yield from unlike("spec.labels", key, names.qualified_name(key))
            yield from unlike(f"spec.labels[{key}]", value, names.label_value(value))
