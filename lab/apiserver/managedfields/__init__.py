"""Who wrote which field: `metadata.managedFields`, and the merge of server-side apply that stands on it.

Pure: objects in, objects out. Kubernetes calls the algorithm a structured merge; this follows its library
`sigs.k8s.io/structured-merge-diff` and `k8s.io/apimachinery/pkg/util/managedfields`.

- `shapes`: how a field merges, by its schema: as a whole, field by field, or item by item.
- `paths`: an object as paths of fields; merging one object into another, and taking paths out of one.
- `managers`: the entries of `managedFields`, what a write does to them, and what an applied configuration does.
- `typed`: what is wrong with a configuration that cannot be merged, in the words of that library.
"""

from .managers import Manager, applied, created_by_apply, tracked

__all__ = ["Manager", "applied", "created_by_apply", "tracked"]
