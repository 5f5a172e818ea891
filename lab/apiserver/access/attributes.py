"""What is asked for, as an authorizer sees it: a verb on a resource, or on a path that is none.

Pure. Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NAMESPACES
from lab.apimachinery.selectors import parse_fields

from ..options import boolean
from ..requestinfo import resolve

VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
# A websocket begins as a GET, and was a POST before there were websockets. Kubernetes asks for `create` in any case.
STREAMS = ("exec", "attach", "portforward")


@dataclass(frozen=True)
class Attributes:
    """Either a `resource` is set, or a `path`. `namespace` is empty for the cluster's scope."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def combined(self) -> str:
        """`pods/log`, as roles name it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def of_request(method: str, path: str, query: Mapping[str, str]) -> Attributes:
    """`path` begins below the cluster's base path, with a slash. Raises ApiError 404 for a resource that there is not,
    400 for a query that means nothing."""
    parts = path.strip("/").split("/")
    if not (parts[0] == "api" and len(parts) > 2) and not (parts[0] == "apis" and len(parts) > 3):
        return Attributes(method.lower(), path=path)
    info, verb = resolve(path.lstrip("/")), VERBS.get(method, method.lower())
    name = info.name
    if info.subresource in STREAMS:
        verb = "create"
    elif not name and verb == "get":
        verb = "watch" if boolean(query, "watch") else "list"
        terms = parse_fields(query.get("fieldSelector", ""), info.kind).terms
        name = next((value for field, equal, value in terms if equal and field == "metadata.name"), "")
    elif not name and verb == "delete":
        verb = "deletecollection"
    # A namespace lies in itself: a role in it may open it.
    home = name if info.kind is NAMESPACES else info.namespace
    return Attributes(verb, info.served.group, info.served.plural, info.subresource, home, name)


def refusal(user: str, asked: Attributes, reason: str = "") -> ApiError:
    """403 in Kubernetes' words."""
    if not asked.resource:
        words = f'User "{user}" cannot {asked.verb} path "{asked.path}"'
    else:
        where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        what = f'resource "{asked.combined}" in API group "{asked.group}"'
        words = f'User "{user}" cannot {asked.verb} {what} {where}'
    words = f"{words}: {reason}" if reason else words
    resource = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    named = " ".join(filter(None, (resource, f'"{asked.name}"' if asked.name and resource else "")))
    message = f"{named} is forbidden: {words}" if named else f"forbidden: {words}"
    details = {"name": asked.name, "group": asked.group, "kind": asked.resource}
    return ApiError(403, "Forbidden", message, {field: value for field, value in details.items() if value})
