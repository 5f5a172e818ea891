"""JSON merge patch (RFC 7386): what is named is replaced, null removes, lists are replaced whole."""

from typing import Any


def json_merge(target: Any, patch: Any) -> Any:
    """What `patch` makes of `target`, two values of JSON. `target` is changed in place where it is an object."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(target, dict):
        target = {}
    for field, wanted in patch.items():
        if wanted is None:
            target.pop(field, None)
        else:
            target[field] = json_merge(target.get(field), wanted)
    return target
