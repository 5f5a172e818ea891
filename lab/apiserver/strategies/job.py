"""Job: pods that are meant to end.

Source: validation/validation.go and v1/defaults.go in kubernetes/pkg/apis/batch.
"""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.jobs import MOST_PARALLEL_INDEXED, generated_labels, is_elastic, is_indexed
from lab.apimachinery.selectors import parse_label_selector

from .base import Strategy
from .causes import IMMUTABLE, invalid, not_negative, one_of, required, too_long, unchanged, unlike, unsupported
from .jobpolicies import validate_failure_policy, validate_success_policy
from .podspec.selectors import validate_label_selector
from .podspec.validation import MOST_INT32, validate_template
from .workload import default_template

MODES = ("Indexed", "NonIndexed")
NUMBERS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
    "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip
LONGEST_MANAGER = 63
# What may not change once pods have been made by it.
FIXED = ("selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
PER_INDEX = ("backoffLimitPerIndex", "maxFailedIndexes")
# Of the template, what says where pods go may change while the Job is suspended.
PLACEMENT = ("nodeSelector", "affinity", "tolerations", "schedulingGates")


class JobStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("completions") is None and spec.get("parallelism") is None:
            spec["completions"] = 1
        spec.setdefault("parallelism", 1)
        spec.setdefault("backoffLimit", 6 if spec.get("backoffLimitPerIndex") is None else MOST_INT32)
        spec.setdefault("completionMode", "NonIndexed")
        spec.setdefault("suspend", False)
        spec.setdefault("manualSelector", False)
        spec.setdefault("podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
        for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
            for pattern in rule.get("onPodConditions") or ():
                pattern.setdefault("status", "True")
        default_template(spec)

    def prepare_create(self, obj: dict) -> None:
        super().prepare_create(obj)
        spec, labels = obj["spec"], generated_labels(obj)
        meta = spec["template"].setdefault("metadata", {})
        if not spec["manualSelector"]:
            # What the client has set already stays, and is refused if it is wrong.
            meta["labels"] = {**labels, **(meta.get("labels") or {})}
            selector = spec.setdefault("selector", {})
            selector["matchLabels"] = {
                "batch.kubernetes.io/controller-uid": obj["metadata"]["uid"],
                **(selector.get("matchLabels") or {}),
            }
        if not obj["metadata"].get("labels") and meta.get("labels"):
            obj["metadata"]["labels"] = dict(meta["labels"])

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec, name = obj["spec"], obj["metadata"].get("name", "")
        yield from validate_job_spec(spec, "spec")
        yield from _validate_selection(obj)
        if is_indexed(spec) and spec.get("completions"):
            last = f"{name}-{spec['completions'] - 1}"
            if names.dns_label(last):
                yield invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {last}")

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        now, was = new["spec"], old["spec"]
        if now == was:
            return
        yield from self.validate(new)
        if now.get("completions") != was.get("completions") and not (is_elastic(now) and is_elastic(was)):
            yield invalid("spec.completions", now.get("completions"), IMMUTABLE)
        for field in FIXED:
            yield from unchanged(f"spec.{field}", now.get(field), was.get(field))
        movable = was["suspend"] and "startTime" not in old.get("status", {})
        if movable:
            now, was = _without_placement(now), _without_placement(was)
        yield from unchanged("spec.template", now["template"], was["template"])

    def selectable_fields(self, obj: dict) -> dict[str, str]:
        """`status.successful` is what `status.succeeded` was once to be called."""
        succeeded = obj.get("status", {}).get("succeeded", 0)
        return {**super().selectable_fields(obj), "status.successful": str(succeeded)}


def validate_job_spec(spec: dict, path: str) -> Iterator[Cause]:
    """The rules for a Job's specification, and for one in the template of a CronJob, which has no selector yet."""
    for field in NUMBERS:
        yield from not_negative(f"{path}.{field}", spec.get(field))
    mode = spec.get("completionMode")
    if mode is not None and mode not in MODES:
        yield unsupported(f"{path}.completionMode", mode, MODES)
    yield from _validate_indexed(spec, path) if is_indexed(spec) else _validate_counted(spec, path)
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if spec.get("podFailurePolicy"):
        yield from validate_failure_policy(spec, f"{path}.podFailurePolicy")
    policies = ("Failed",) if spec.get("podFailurePolicy") else ("Failed", "TerminatingOrFailed")
    if spec.get("podReplacementPolicy"):
        yield from one_of(f"{path}.podReplacementPolicy", spec["podReplacementPolicy"], policies)
    if spec.get("managedBy") is not None:
        yield from _validate_manager(spec["managedBy"], f"{path}.managedBy")
    yield from validate_template(spec["template"], f"{path}.template")
    yield from _validate_restarts(spec, f"{path}.template.spec.restartPolicy")


def _validate_manager(manager: str, path: str) -> Iterator[Cause]:
    domain, _, name = manager.partition("/")
    if not manager:
        yield required(path)
    elif not domain or not name:
        yield invalid(path, manager, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from unlike(path, domain, names.dns_subdomain(domain))
    if len(manager) > LONGEST_MANAGER:
        yield too_long(path, LONGEST_MANAGER)


def _validate_indexed(spec: dict, path: str) -> Iterator[Cause]:
    completions, parallelism = spec.get("completions"), spec.get("parallelism") or 0
    if completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if parallelism > MOST_PARALLEL_INDEXED:
        words = f"must be less than or equal to {MOST_PARALLEL_INDEXED} when completion mode is Indexed"
        yield invalid(f"{path}.parallelism", parallelism, words)
    most = spec.get("maxFailedIndexes")
    if most is not None and completions is not None and most > completions:
        yield invalid(f"{path}.maxFailedIndexes", most, "must be less than or equal to completions")
    if spec.get("successPolicy") is not None:
        yield from validate_success_policy(spec, f"{path}.successPolicy")


def _validate_counted(spec: dict, path: str) -> Iterator[Cause]:
    for field in (*PER_INDEX, "successPolicy"):
        if spec.get(field) is not None:
            yield invalid(f"{path}.{field}", spec[field], "requires indexed completion mode")


def _validate_restarts(spec: dict, path: str) -> Iterator[Cause]:
    policy = spec["template"]["spec"]["restartPolicy"]
    if policy == "Always":
        # The default of pods in general, so it may not even have been asked for.
        yield required(path, 'valid values: "OnFailure", "Never"')
    for field in ("podFailurePolicy", "backoffLimitPerIndex"):
        if spec.get(field) is not None and policy == "OnFailure":
            yield invalid(path, policy, f'only "Never" is supported when {field} is specified')


def _validate_selection(job: dict) -> Iterator[Cause]:
    spec = job["spec"]
    if spec.get("selector") is None:
        yield required("spec.selector")
        return
    problems = list(validate_label_selector(spec["selector"], "spec.selector"))
    yield from problems
    labels = spec["template"]["metadata"].get("labels") or {}
    selector = None if problems else parse_label_selector(spec["selector"])
    if not spec["manualSelector"]:
        wanted = generated_labels(job)
        for key, value in wanted.items():
            if labels.get(key) != value:
                yield invalid(f"spec.template.metadata.labels[{key}]", labels, f"must be '{value}'")
        if selector and not selector.matches(wanted):
            yield invalid("spec.selector", spec["selector"], "`selector` not auto-generated")
    if selector and not selector.matches(labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _without_placement(spec: dict) -> dict:
    template = spec["template"]
    kept = {field: value for field, value in template["spec"].items() if field not in PLACEMENT}
    return {**spec, "template": {"spec": kept}}
