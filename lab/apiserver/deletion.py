"""Deleting, which in Kubernetes is mostly asking: the object stays, marked, until everybody who must act has acted.

A finalizer is somebody's claim "not before I am done"; a pod's grace is the time its containers have to finish.
"""

import copy
import dataclasses
import datetime
from collections.abc import Callable, Mapping

from lab.apimachinery import errors, meta
from lab.apimachinery.kinds import NAMESPACES, PRIORITYCLASSES, Kind
from lab.apimachinery.priorities import SYSTEM
from lab.store import Write

from .commit import commit
from .registry import get, list_, may_go
from .request import Request
from .strategies import strategy_for

# What nobody may delete, and how the admission plug-in NamespaceLifecycle and the storage of classes say so.
IMMORTAL = {NAMESPACES.resource: ("default", "kube-system", "kube-public"), PRIORITYCLASSES.resource: tuple(SYSTEM)}
WHY_IMMORTAL = {
    NAMESPACES.resource: "this namespace may not be deleted",
    PRIORITYCLASSES.resource: "this is a system priority class and cannot be deleted",
}
Why = Callable[[dict], dict | None]  # object → the decision that it has to go
FINALIZER_OF = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


def delete(
    req: Request, kind: Kind, namespace: str, name: str, options: dict | None = None, why: dict | None = None
) -> tuple[dict, bool]:
    """Ask for the object's end. Returns it as it is now, and whether it is gone already.

    `options` is a DeleteOptions: gracePeriodSeconds, propagationPolicy, preconditions {uid, resourceVersion}. `why`:
    the decision, to be kept with the row that marks or removes it.
    """
    gone = False

    def attempt() -> list[Write | dict]:
        nonlocal gone
        old = get(req, kind, namespace, name)
        planned = _due_to(deletion_of(kind, old, options or {}), None, why)
        gone = isinstance(planned, Write) and planned.deleted
        return [planned]

    return commit(req, attempt)[0], gone


def delete_these(
    req: Request,
    kind: Kind,
    objs: list[dict],
    options: dict,
    causes: Mapping[str, int] | None = None,
    why: Why | None = None,
) -> None:
    """Ask for the end of these very objects, in one transaction; one that is gone, or a namesake by now, is let be.
    `causes`: uid → `Write.cause`."""

    def attempt() -> list[Write | dict]:
        view, planned = req.view(), []
        for meta_ in (obj["metadata"] for obj in objs):
            old = view.get(kind.resource, meta_.get("namespace", ""), meta_["name"])
            if old is not None and old["metadata"]["uid"] == meta_["uid"]:
                going = deletion_of(kind, old, options)
                planned.append(_due_to(going, (causes or {}).get(meta_["uid"]), why(old) if why else None))
        return planned

    commit(req, attempt)


def _due_to(planned: Write | dict, cause: int | None, why: dict | None) -> Write | dict:
    return dataclasses.replace(planned, cause=cause, why=why) if isinstance(planned, Write) else planned


def delete_collection(
    req: Request, kind: Kind, namespace: str, label_selector: str, field_selector: str, options: dict | None = None
) -> list[dict]:
    """Delete each matching object; what was asked to go."""
    items, _ = list_(req, kind, namespace, label_selector, field_selector)
    return [delete(req, kind, o["metadata"].get("namespace", ""), o["metadata"]["name"], options)[0] for o in items]


def deletion_of(kind: Kind, old: dict, options: dict) -> Write | dict:
    """The write that marks the object, or takes it away; the object itself where nothing would change."""
    _check_preconditions(kind, old, options.get("preconditions") or {})
    if old["metadata"]["name"] in IMMORTAL.get(kind.resource, ()):
        raise errors.forbidden(kind, old["metadata"]["name"], WHY_IMMORTAL[kind.resource])
    new = copy.deepcopy(old)
    meta_ = new["metadata"]
    _add_finalizer(meta_, options)
    grace = strategy_for(kind).grace_seconds(old, options.get("gracePeriodSeconds"))
    if meta.is_deleting(old):
        grace = min(grace, meta_.get("deletionGracePeriodSeconds", 0))
    if not meta.is_deleting(old) or grace < meta_.get("deletionGracePeriodSeconds", 0):
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=grace)
        meta_["deletionTimestamp"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
        meta_["deletionGracePeriodSeconds"] = grace
    if not meta.is_deleting(old) and "generation" in meta_:
        meta_["generation"] += 1
    if kind is NAMESPACES:
        new.setdefault("status", {})["phase"] = "Terminating"
    if new == old and not may_go(kind, new):
        return old
    expected = int(old["metadata"]["resourceVersion"])
    return Write(kind.resource, meta_.get("namespace", ""), meta_["name"], new, expected, deleted=may_go(kind, new))


def _check_preconditions(kind: Kind, old: dict, preconditions: dict) -> None:
    for field, label in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        wanted, is_ = preconditions.get(field), old["metadata"][field]
        if wanted and wanted != is_:
            happened = "deleted and then recreated" if field == "uid" else "modified"
            why = f"the {label} in the precondition ({wanted}) does not match the {label} in record ({is_})."
            raise errors.conflict(kind, old["metadata"]["name"], f"{why} The object might have been {happened}")


def _add_finalizer(meta_: dict, options: dict) -> None:
    policy = options.get("propagationPolicy")
    if policy is None and options.get("orphanDependents"):
        policy = "Orphan"
    finalizer = FINALIZER_OF.get(policy or "")
    if finalizer and finalizer not in meta_.get("finalizers", ()) and "deletionTimestamp" not in meta_:
        meta_["finalizers"] = [*meta_.get("finalizers", ()), finalizer]
