"""How a browser reaches a Service: by the front door's own name for it; or, from another machine, where `.localhost`
is that machine itself, through the API (`lab/apiserver/views/proxy.py`)."""

import os


def port() -> str:
    """Of the front door; "" where there is none."""
    return os.environ.get("ORRERY_FRONT_DOOR", "").rstrip("/").rpartition(":")[2]


def way_in(cluster: str, by_room: bool) -> str:
    """The address of a Service, with `{service}` and `{namespace}` where their names belong; "" without a front door.
    It ends with a slash."""
    if not port():
        return ""
    if by_room:
        return f"/clusters/{cluster}/api/v1/namespaces/{{namespace}}/services/{{service}}/proxy/"
    return f"http://{{service}}.{{namespace}}.{cluster}.localhost:{port()}/"
