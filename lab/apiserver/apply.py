"""Server-side apply: a client says the fields that it cares about, and the server merges them and keeps who says what.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from lab.apimachinery import errors, meta
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import Kind
from lab.store import Write

from .access import rbac
from .access.attributes import Attributes
from .bodies import at_address
from .managedfields import Manager, applied, created_by_apply
from .managedfields.managers import APPLY
from .registry import Put, commit, creation, replacement
from .request import Request
from .strategies import strategy_for


def apply(
    req: Request, kind: Kind, namespace: str, name: str, config: dict, force: bool = False, subresource: str = ""
) -> tuple[dict, bool]:
    """The object as stored, and whether this has created it. Raises ApiError 409 with a cause for each field of which
    another manager has said otherwise, unless `force`."""
    if not req.manager:
        message = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
        raise ApiError(422, "Invalid", message)
    config = at_address(kind, namespace, config, name)
    if config["metadata"].get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    # Always strictly: a field that nobody knows cannot be owned.
    strategy_for(kind).check_schema(config, "Strict")
    manager, created = Manager(req.manager, APPLY, subresource), False

    def attempt() -> list[Write | dict]:
        nonlocal created
        view = req.view()
        old = view.get(kind.resource, namespace, name)
        created = old is None
        if old is not None:
            made = applied(old, config, manager, force)
            made["metadata"].pop("resourceVersion", None)
            made["metadata"] |= {k: v for k, v in config["metadata"].items() if k in ("resourceVersion", "uid")}
            return [replacement(req, Put(kind, made, subresource, applied=True), old)]
        if subresource or config["metadata"].get("uid"):
            raise errors.not_found(kind, name)
        if req.user:  # so far only a patch was asked for
            rbac.require(view, req.user, Attributes("create", kind.group, kind.plural, "", namespace, name))
        made = meta.copied(config)
        made["metadata"]["managedFields"] = created_by_apply(config, manager)
        return [creation(req, view, Put(kind, made, applied=True))]

    return commit(req, attempt)[0], created
