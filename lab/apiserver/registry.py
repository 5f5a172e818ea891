"""The verbs. Whoever wants to read or write anything, over HTTP or in the process, ends here: one write path.

A write goes: read the current object → apply what is asked → default → admit (what the cluster has to say to it) →
prepare (what a client may not set) → validate → commit: append to the log, expecting the revision that was read.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lab.apimachinery import errors, meta, selectors
from lab.apimachinery import patch as patches
from lab.apimachinery.errors import Cause
from lab.apimachinery.kinds import NAMESPACES, RBAC, Kind
from lab.store import View, Write

from . import versions
from .access import escalation
from .admission import admit
from .bodies import an_object, at_address, check_kind
from .commit import TRIES, commit
from .request import Request
from .schemas.check import Undecodable, check_object
from .strategies import Strategy, strategy_for
from .tracking import track

UNWRITTEN = ("", "0")  # the resourceVersions of what was never read


@dataclass
class Put:
    """One object of a batch: created if it carries no resourceVersion, else updated from exactly that one. `applied`:
    it says already who owns which of its fields. `cause`: `Write.cause`."""

    kind: Kind
    object: dict
    subresource: str = ""
    why: dict | None = None
    applied: bool = False
    cause: int | None = None


def get(req: Request, kind: Kind, namespace: str, name: str) -> dict:
    """The object, shared: do not change it. Raises ApiError 404."""
    found = req.view().get(kind.resource, namespace, name)
    if found is None:
        raise errors.not_found(kind, name)
    return found


def list_(
    req: Request, kind: Kind, namespace: str = "", label_selector: str = "", field_selector: str = ""
) -> tuple[list[dict], int]:
    """The matching objects ordered by key, and the revision at which this was the state."""
    view = req.view()
    revision = view.revision
    return select(view.list(kind.resource, namespace), kind, label_selector, field_selector), revision


def select(items: list[dict], kind: Kind, label_selector: str, field_selector: str) -> list[dict]:
    """Those of `items` that both selectors let through, ordered by key. Raises ApiError 400 for a bad selector."""
    matches = matcher(kind, label_selector, field_selector)
    found = [obj for obj in items if matches(obj)] if label_selector or field_selector else items
    return sorted(found, key=lambda obj: (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))


def matcher(kind: Kind, label_selector: str, field_selector: str) -> Callable[[dict], bool]:
    """Whether an object is let through by both selectors. Raises ApiError 400 for a bad selector."""
    labels = selectors.parse_labels(label_selector) if label_selector else None
    fields = selectors.parse_fields(field_selector, kind) if field_selector else None
    strategy = strategy_for(kind)

    def matches(obj: dict) -> bool:
        return (labels is None or labels.matches(obj["metadata"].get("labels") or {})) and (
            fields is None or fields.matches(strategy.selectable_fields(obj))
        )

    return matches


def create(req: Request, kind: Kind, namespace: str, obj: dict) -> dict:
    """Store a new object; it comes back as stored. Raises ApiError 409, 422, 403, 404 (no such namespace)."""

    def attempt() -> list[Write]:
        return [creation(req, req.view(), Put(kind, at_address(kind, namespace, obj)))]

    return commit(req, attempt)[0]


def update(req: Request, kind: Kind, namespace: str, name: str, obj: dict, subresource: str = "") -> dict:
    """Replace the object, or what `subresource` covers of it. With a resourceVersion, only from that one (409)."""

    def change(old: dict) -> dict:
        return at_address(kind, namespace, meta.copied(obj), name)

    return modify(req, kind, namespace, name, change, subresource)


def patch(
    req: Request, kind: Kind, namespace: str, name: str, body: object, patch_type: str, subresource: str = ""
) -> dict:
    """Change the object by a JSON merge, strategic merge or JSON patch (RFC 7386, Kubernetes' own, RFC 6902): in the
    version that `kind` is of."""
    stored = versions.stored_kind(kind)

    def change(old: dict) -> dict:
        new = patches.apply(patch_type, kind, versions.served(kind, old), body)
        check_kind(kind, an_object(new, kind.kind))
        try:
            req.warnings.extend(check_object(new, kind.api_version, kind.kind, req.field_validation, req.doubled))
        except Undecodable as error:
            raise errors.invalid_patch(patches.shown(patch_type, body, new), error.why) from None
        new = versions.stored(kind, new)
        if not isinstance(body, dict) or "resourceVersion" not in body.get("metadata", {}):
            new["metadata"].pop("resourceVersion", None)
        return at_address(stored, namespace, new, name)

    return modify(req, stored, namespace, name, change, subresource)


def modify(
    req: Request, kind: Kind, namespace: str, name: str, change: Callable[[dict], dict], subresource: str
) -> dict:
    """Read, `change` (given the shared object, returns a new one), write. What names no resourceVersion is retried."""

    def attempt() -> list[Write | dict]:
        old = get(req, kind, namespace, name)
        return [replacement(req, Put(kind, change(old), subresource), old)]

    return commit(req, attempt)[0]


def write(req: Request, puts: Iterable[Put]) -> list[dict]:
    """Several objects, of any kinds, in one transaction. Raises ApiError for the first that cannot be."""

    puts = list(puts)

    def attempt() -> list[Write | dict]:
        view = req.view()
        planned: list[Write | dict] = []
        for put in puts:
            meta_ = put.object["metadata"]
            old = view.get(put.kind.resource, meta_.get("namespace", ""), meta_["name"]) if "name" in meta_ else None
            if "resourceVersion" not in meta_:
                planned.append(creation(req, view, put))
            elif old is None:
                raise errors.not_found(put.kind, meta_["name"])
            else:
                planned.append(replacement(req, put, old))
        return planned

    return commit(req, attempt)


def creation(req: Request, view: View, put: Put) -> Write:
    kind, obj, strategy = put.kind, meta.copied(put.object), strategy_for(put.kind)
    meta_ = obj["metadata"]
    meta.drop_empty(meta_)
    if req.field_validation:
        req.warnings.extend(strategy.decode(obj, req.field_validation, req.doubled))
    if meta_.get("resourceVersion", "") not in UNWRITTEN:
        raise errors.bad_request("resourceVersion should not be set on objects to be created")
    namespace = meta_.get("namespace", "")
    if kind.namespaced:
        _check_namespace(view, kind, namespace, meta_.get("name", ""))
    if not meta_.get("name") and meta_.get("generateName"):
        meta_["name"] = _free_name(view, kind, namespace, meta_["generateName"])
    meta_.setdefault("name", "")  # refused below, in the same words for every kind
    for field in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
        meta_.pop(field, None)
    meta_.update(uid=meta.new_uid(), creationTimestamp=meta.now())
    if req.is_clients:
        strategy.keep_ours(obj, None)
    strategy.default(obj)
    admit(lambda: view, kind, obj)
    strategy.prepare_create(obj)
    lacking = _allocate(strategy, view, obj)
    _accept(req, kind, obj, [*lacking, *strategy.validate_create(obj)])
    if view.get(kind.resource, namespace, meta_["name"]) is not None:
        raise errors.already_exists(kind, meta_["name"])
    if not put.applied:
        track(req, None, obj)
    return Write(
        kind.resource, namespace, meta_["name"], obj, 0, why=put.why, guard=_guard(strategy, obj), cause=put.cause
    )


def _free_name(view: View, kind: Kind, namespace: str, base: str) -> str:
    for _ in range(TRIES):
        name = meta.generated_name(base)
        if view.get(kind.resource, namespace, name) is None:
            return name
    raise errors.already_exists(kind, base)


def _check_namespace(view: View, kind: Kind, namespace: str, name: str) -> None:
    home = view.get(NAMESPACES.resource, "", namespace)
    if home is None:
        raise errors.not_found(NAMESPACES, namespace)
    if meta.is_deleting(home):
        cause = Cause("metadata.namespace", f"namespace {namespace} is being terminated", "NamespaceTerminating")
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        raise errors.forbidden(kind, name, why, (cause,))


def _allocate(strategy: Strategy, view: View, obj: dict) -> Iterable[Cause]:
    return strategy.allocate(obj, lambda: view.list(strategy.allocates_from))


def _guard(strategy: Strategy, obj: dict) -> Callable[[View], bool] | None:
    """Two writers that read the same state may choose the same thing: the second finds out under the store's lock."""
    return (lambda view: not list(_allocate(strategy, view, obj))) if strategy.is_exclusive else None


def _accept(req: Request, kind: Kind, obj: dict, causes: list[Cause], old: dict | None = None) -> None:
    """Raises ApiError 422 if anything is wrong with it, 403 if it gives rights that its writer has not."""
    if causes:
        raise errors.invalid(kind, obj["metadata"].get("name", ""), causes)
    if req.user and kind.group == RBAC:
        escalation.check(req.view(), req.user, kind, obj, old)
    if req.outside:
        req.warnings.extend(strategy_for(kind).warnings(obj))


def replacement(req: Request, put: Put, old: dict) -> Write | dict:
    """The write that takes `old` to what is put, or `old` itself where nothing would change."""
    kind, new, strategy = put.kind, meta.copied(put.object), strategy_for(put.kind)
    meta.drop_empty(new["metadata"])
    name, was = old["metadata"]["name"], old["metadata"]["resourceVersion"]
    asked = new["metadata"].get("resourceVersion")
    if asked not in (was, None, *UNWRITTEN):
        raise errors.conflict(kind, name)
    uid, is_ = new["metadata"].get("uid"), old["metadata"]["uid"]
    if uid and uid != is_:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {is_}"
        raise errors.conflict(kind, name, why)
    if req.field_validation:
        req.warnings.extend(strategy.decode(new, req.field_validation, req.doubled))
    for field in ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"):
        new["metadata"].pop(field, None)
        if field in old["metadata"]:
            new["metadata"][field] = old["metadata"][field]
    new["metadata"]["resourceVersion"] = was
    if req.is_clients:
        strategy.keep_ours(new, old)
    if put.subresource == "status":
        strategy.prepare_status_update(new, old)
    elif put.subresource == "finalize":
        strategy.prepare_finalize_update(new, old)
    elif put.subresource == "ephemeralcontainers":
        strategy.default(new)
        strategy.prepare_debug_update(new, old)
        admit(req.view, kind, new, old)
        _accept(req, kind, new, strategy.validate_debug_update(new, old))
    else:
        strategy.default(new)
        admit(req.view, kind, new, old)
        strategy.prepare_update(new, old)
        lacking = () if new.get("spec") == old.get("spec") else _allocate(strategy, req.view(), new)
        _accept(req, kind, new, [*lacking, *strategy.validate_update(new, old)], old)
    if not put.applied:
        track(req, old, new, put.subresource)
    if new == old and put.why is None:
        return old
    gone = meta.is_deleting(new) and may_go(kind, new)
    guard = None if new.get("spec") == old.get("spec") else _guard(strategy, new)
    home = old["metadata"].get("namespace", "")
    return Write(kind.resource, home, name, new, int(was), gone, put.why, guard, put.cause)


def may_go(kind: Kind, obj: dict) -> bool:
    """Whether a deleting object has nothing left to wait for: no finalizer, no grace, no content."""
    held = obj["metadata"].get("finalizers") or (kind is NAMESPACES and obj.get("spec", {}).get("finalizers"))
    return not held and not obj["metadata"].get("deletionGracePeriodSeconds")
