"""Server-side apply: a client says the fields that it cares about, and the server merges them and keeps who says what.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from lab.apimachinery import errors, meta
from lab.apimachinery.kinds import Kind
from lab.store import Write

from . import versions
from .access import rbac
from .access.attributes import Attributes
from .bodies import at_address
from .commit import commit
from .managedfields import Manager, applied, created_by_apply
from .managedfields.managers import APPLY
from .managedfields.typed import check_members, undeclared, untyped
from .registry import Put, creation, replacement
from .request import Request
from .schemas.check import Undecodable, check_object


def apply(
    req: Request, kind: Kind, namespace: str, name: str, config: dict, force: bool = False, subresource: str = ""
) -> tuple[dict, bool]:
    """The object as stored, and whether this has created it. Raises ApiError 409 with a cause for each field of which
    another manager has said otherwise, unless `force`. `kind` is the one that the address is of, in its version."""
    config = versions.stored(kind, _checked(req, kind, at_address(kind, namespace, config, name)))
    kind, manager, created = versions.stored_kind(kind), Manager(req.manager, APPLY, subresource), False

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


def _checked(req: Request, kind: Kind, config: dict) -> dict:
    """The configuration as its types have it. Raises ApiError 400 for one that cannot be merged."""
    if config["metadata"].get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    doubled = [f"error strict decoding YAML: {words}" for words in req.doubled]
    if doubled and req.field_validation == "Strict":
        raise errors.bad_request(doubled[0])
    req.warnings.extend(doubled if req.field_validation == "Warn" else [])
    try:
        # Always strictly: a field that nobody knows cannot be owned.
        check_object(config, kind.api_version, kind.kind, "Strict")
    except Undecodable as error:
        raise undeclared(config, error.unknown) if error.unknown else untyped(config, [error.why]) from None
    check_members(config)
    return config
