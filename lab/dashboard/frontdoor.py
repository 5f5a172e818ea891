"""How a browser reaches a Service: by the front door's own name for it; or, from another machine, where `.localhost`
is that machine itself, through the API (`lab/apiserver/views/proxy.py`).

There a page that a pod serves is a page of nobody's, and its browser sends no cookie with what it asks for. So what
lets it in at the room's door stands in its address: `/through/<key>/<namespace>/<service>/…`. A key opens the Services
of one cluster and nothing else, to whoever is given the link.
"""

import os
import re
from typing import NamedTuple

from django.core import signing

THROUGH = "/through/"
WAY = re.compile(r"(/through/([^/]+)/([-a-z0-9]+)/([-a-z0-9.:]+))/(.*)", re.DOTALL)
_signer = signing.Signer(salt="lab.dashboard.frontdoor")


class Way(NamedTuple):
    """`path` is the API's, `prefix` what stands outside in the place of its part up to `proxy`."""

    cluster: str
    prefix: str
    path: str


def port() -> str:
    """Of the front door; "" where there is none."""
    return os.environ.get("ORRERY_FRONT_DOOR", "").rstrip("/").rpartition(":")[2]


def way_in(cluster: str, by_room: bool) -> str:
    """The address of a Service, with `{service}` and `{namespace}` where their names belong; "" without a front door.
    It ends with a slash."""
    if not port():
        return ""
    if by_room:
        return f"{THROUGH}{_signer.sign(cluster)}/{{namespace}}/{{service}}/"
    return f"http://{{service}}.{{namespace}}.{cluster}.localhost:{port()}/"


def through(path: str) -> Way | None:
    """Where a path below THROUGH leads; None if it is none, or its key is not ours."""
    if not (found := WAY.fullmatch(path)):
        return None
    prefix, key, namespace, service, rest = found.groups()
    try:
        cluster = _signer.unsign(key)
    except signing.BadSignature:
        return None
    return Way(cluster, prefix, f"/clusters/{cluster}/api/v1/namespaces/{namespace}/services/{service}/proxy/{rest}")
