"""StatefulSet: pods with names and volumes of their own. Source: kubernetes/pkg/apis/apps/validation/validation.go and
pkg/registry/apps/statefulset/strategy.go."""

from collections.abc import Iterable, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS

from .base import Strategy
from .causes import forbidden, invalid, not_negative, unsupported
from .metadata import validate_annotations, validate_labels
from .podspec.resources import canonicalise
from .shares import at_most_all, is_nothing, validate_share
from .workload import default_rolling, default_template, validate_replicas, validate_selection

POLICIES = ("OrderedReady", "Parallel")
RETENTION = ("Delete", "Retain")
MAY_CHANGE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip
IMMUTABLE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
NO_LABEL = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; "
    "a DNS label is recommended: "
)


class StatefulSetStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("podManagementPolicy", POLICIES[0])
        # No maxUnavailable: the feature is off by default in 1.36. Who names one here gets what it says.
        default_rolling(spec, "updateStrategy", partition=0)
        retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
        for when in ("whenDeleted", "whenScaled"):
            retention.setdefault(when, "Retain")
        default_template(spec)
        for claim in spec.get("volumeClaimTemplates") or ():
            claim.setdefault("apiVersion", PERSISTENTVOLUMECLAIMS.api_version)
            claim.setdefault("kind", PERSISTENTVOLUMECLAIMS.kind)
            claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
            claim.setdefault("status", {}).setdefault("phase", "Pending")
            canonicalise((claim["spec"].get("resources") or {}).get("requests"))

    def warnings(self, obj: dict) -> Iterable[str]:
        yield from super().warnings(obj)
        yield from (NO_LABEL + problem for problem in names.dns_label(obj["metadata"]["name"]))

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec, path = obj["spec"], "spec"
        if spec["podManagementPolicy"] not in POLICIES:
            words = "must be 'OrderedReady' or 'Parallel'"
            yield invalid(f"{path}.podManagementPolicy", spec["podManagementPolicy"], words)
        yield from _validate_strategy(spec["updateStrategy"], f"{path}.updateStrategy")
        for when, policy in spec["persistentVolumeClaimRetentionPolicy"].items():
            if policy not in RETENTION:
                yield unsupported(f"{path}.persistentVolumeClaimRetentionPolicy.{when}", policy, RETENTION)
        yield from validate_replicas(spec)
        yield from not_negative(f"{path}.ordinals.start", (spec.get("ordinals") or {}).get("start"))
        yield from validate_selection(spec, "statefulset")
        # Whether the rest of the template is right is found out when its pods are made, as in Kubernetes: its volumes
        # are not all there yet.
        meta, pod, path = spec["template"].get("metadata") or {}, spec["template"]["spec"], "spec.template"
        yield from validate_labels(meta.get("labels"), f"{path}.metadata.labels")
        yield from validate_annotations(meta.get("annotations"), f"{path}.metadata.annotations")
        if pod["restartPolicy"] != "Always":
            yield unsupported(f"{path}.spec.restartPolicy", pod["restartPolicy"], ("Always",))
        if pod.get("activeDeadlineSeconds") is not None:
            yield forbidden(
                f"{path}.spec.activeDeadlineSeconds", "activeDeadlineSeconds in StatefulSet is not Supported"
            )

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from self.validate(new)
        fixed, was = ({k: v for k, v in obj["spec"].items() if k not in MAY_CHANGE} for obj in (new, old))
        if fixed != was:
            yield forbidden("spec", IMMUTABLE)


def _validate_strategy(strategy: dict, path: str) -> Iterator[Cause]:
    kind, rolling = strategy["type"], strategy.get("rollingUpdate")
    if kind == "OnDelete":
        if rolling is not None:
            yield invalid(f"{path}.rollingUpdate", rolling, "only allowed for updateStrategy 'RollingUpdate'")
    elif kind != "RollingUpdate":
        yield invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")
    else:
        rolling = strategy["rollingUpdate"]
        yield from not_negative(f"{path}.rollingUpdate.partition", rolling["partition"])
        most, where = rolling.get("maxUnavailable"), f"{path}.rollingUpdate.maxUnavailable"
        if most is not None:
            yield from validate_share(most, where)
            if is_nothing(most):
                yield invalid(where, most, "cannot be 0")
            yield from at_most_all(most, where)
