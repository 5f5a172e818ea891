"""Finalizers: names on an object that is deleted only when the last of them is gone. Whoever has something to do first
puts one there, and takes it off when it is done. Pure."""

import copy


def held(obj: dict, finalizer: str) -> dict:
    """A copy with the finalizer, which comes last."""
    return _with(obj, [*_others(obj, finalizer), finalizer])


def released(obj: dict, finalizer: str) -> dict:
    """A copy without the finalizer."""
    return _with(obj, _others(obj, finalizer))


def let_go(finalizer: str, because: str) -> dict:
    """The decision that nothing needs the object any more for whose sake the finalizer was there."""
    return {"decision": "RemoveFinalizer", "finalizer": finalizer, "because": because}


def _others(obj: dict, finalizer: str) -> list[str]:
    return [one for one in obj["metadata"].get("finalizers", ()) if one != finalizer]


def _with(obj: dict, finalizers: list[str]) -> dict:
    obj = copy.deepcopy(obj)
    obj["metadata"]["finalizers"] = finalizers
    if not finalizers:
        del obj["metadata"]["finalizers"]
    return obj
