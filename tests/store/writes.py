"""What the tests of the store write."""

from lab.store import Write


def a_pod(name: str, **fields) -> dict:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": {}, **fields}


def write(name: str, expected: int = 0, deleted: bool = False, **fields) -> Write:
    return Write("pods", "default", name, a_pod(name, **fields), expected, deleted)
