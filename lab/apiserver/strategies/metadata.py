"""Rules for metadata, which all kinds share. Source: k8s.io/apimachinery/pkg/api/validation/objectmeta.go."""

from collections.abc import Callable, Iterator, Sequence

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from .causes import forbidden, invalid, required, too_long, unlike

MOST_ANNOTATION_BYTES = 256 * 1024
STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")


def validate_metadata(meta: dict, name_rule: Callable[[str], names.Problems]) -> Iterator[Cause]:
    name, base = meta.get("name", ""), meta.get("generateName", "")
    if base:
        # What is generated ends in letters, so a trailing dash is no fault of the base.
        yield from unlike("metadata.generateName", base, name_rule(base[:-1] + "a" if base[-1] == "-" else base))
    if name:
        yield from unlike("metadata.name", name, name_rule(name))
    elif not base:
        yield required("metadata.name", "name or generateName is required")
    yield from validate_labels(meta.get("labels"), "metadata.labels")
    yield from validate_annotations(meta.get("annotations"), "metadata.annotations")
    yield from _validate_owners(meta.get("ownerReferences") or ())
    for at, finalizer in enumerate(meta.get("finalizers") or ()):
        yield from validate_finalizer(finalizer, f"metadata.finalizers[{at}]")


def validate_metadata_update(new: dict, old: dict) -> Iterator[Cause]:
    """The registry has restored what no update may touch; finalizers may not grow while the object is going."""
    if "deletionTimestamp" not in old:
        return
    added = [one for one in new.get("finalizers") or () if one not in (old.get("finalizers") or ())]
    if added:
        listed = ", ".join(f'"{one}"' for one in added)
        words = "no new finalizers can be added if the object is being deleted, found new finalizers"
        yield forbidden("metadata.finalizers", f"{words} []string{{{listed}}}")


def validate_labels(labels: dict[str, str] | None, path: str) -> Iterator[Cause]:
    for key, value in (labels or {}).items():
        yield from unlike(path, key, names.qualified_name(key))
        yield from unlike(path, value, names.label_value(value))


def validate_annotations(annotations: dict[str, str] | None, path: str) -> Iterator[Cause]:
    size = 0
    for key, value in (annotations or {}).items():
        # Annotations are older than the rule for their keys: case is overlooked.
        yield from unlike(path, key, names.qualified_name(key.lower()))
        size += len(key) + len(value)
    if size > MOST_ANNOTATION_BYTES:
        yield too_long(path, MOST_ANNOTATION_BYTES)


def _validate_owners(owners: Sequence[dict]) -> Iterator[Cause]:
    controllers = []
    for at, owner in enumerate(owners):
        path = f"metadata.ownerReferences[{at}]"
        if not owner.get("apiVersion"):
            yield invalid(f"{path}.apiVersion", "", "version must not be empty")
        for field in ("kind", "name", "uid"):
            if not owner.get(field):
                yield invalid(f"{path}.{field}", owner.get(field, ""), "must not be empty")
        if owner.get("controller"):
            controllers.append(f"{owner.get('kind')}/{owner.get('name')}")
    if len(controllers) > 1:
        words = 'Only one reference can have Controller set to true. Found "true" in references for'
        yield invalid("metadata.ownerReferences", owners, f"{words} {controllers[0]} and {controllers[1]}")


def validate_finalizer(finalizer: str, path: str) -> Iterator[Cause]:
    problems = names.qualified_name(finalizer)
    yield from unlike(path, finalizer, problems)
    if not problems and "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
        yield invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified")
