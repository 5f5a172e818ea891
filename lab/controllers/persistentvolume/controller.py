"""The loop that binds claims to volumes, has volumes made for those that find none, and reclaims what is released.

Source: kubernetes/pkg/controller/volume/persistentvolume/pv_controller.go; the part that makes volumes is there a
program of its own for each driver (external-provisioner). Events are in their words.
"""

from collections.abc import Iterable

from lab.apimachinery.engines import engine_of
from lab.apimachinery.kinds import NODES, PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, STORAGECLASSES
from lab.apimachinery.meta import is_deleting, join_key, key_of, split_key
from lab.apimachinery.volumes import (
    DRIVER,
    PROVISIONED_BY,
    SELECTED_NODE,
    annotation,
    default_class,
    is_bound,
    mismatch,
    waits_for_consumer,
)
from lab.client import Change, Client, Put, View

from ..objects import EVERY, ObjectController
from . import binding

NOTHING = "no persistent volumes available for this claim and no storage class is set"
WAITING = "waiting for first consumer to be created before binding"
ELSEWHERE = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system "
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
    "registered."
)
SELECTING = 'failed to provision volume with StorageClass "{}": claim Selector is not supported'
LOST = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
MISBOUND = "Two claims are bound to the same volume, this one is bound incorrectly"


class PersistentVolumeController(ObjectController):
    """Keys are claims (`namespace/name`) and volumes (`name`)."""

    name = "persistentvolume-binder"
    author = "persistentvolume-controller"
    kind = PERSISTENTVOLUMECLAIMS
    watches = tuple(kind.resource for kind in (PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, STORAGECLASSES))

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == STORAGECLASSES.resource:
            return (EVERY,)
        if change.resource == PERSISTENTVOLUMECLAIMS.resource:
            volume = change.object["spec"].get("volumeName")
            return (join_key(change.namespace, change.name), *((volume,) if volume else ()))
        ref = change.object["spec"].get("claimRef")
        if ref:
            return (change.name, join_key(ref.get("namespace", ""), ref.get("name", "")))
        return (change.name, EVERY) if binding.is_free(change.object) else (change.name,)

    def all_keys(self, client: Client) -> Iterable[str]:
        return [*super().all_keys(client), *map(key_of, client.list(PERSISTENTVOLUMES))]

    def sync(self, client: Client, key: str) -> float | None:
        if split_key(key)[0]:
            return super().sync(client, key)
        if volume := client.find(PERSISTENTVOLUMES, "", key):
            self._sync_volume(client, volume)
        return None

    # Claims.

    def converge(self, client: Client, claim: dict) -> None:
        if is_bound(claim):
            self._keep_bound(client, claim)
        elif is_deleting(claim):
            return
        elif name := claim["spec"].get("volumeName"):
            self._bind_to_named(client, claim, name)
        else:
            self._find_volume(client, claim)

    def _keep_bound(self, client: Client, claim: dict) -> None:
        volume = client.find(PERSISTENTVOLUMES, "", claim["spec"]["volumeName"])
        uid = claim["metadata"]["uid"]
        if volume is None:
            self._lose(client, claim, "ClaimLost", LOST)
        elif (volume["spec"].get("claimRef") or {}).get("uid", uid) == uid:
            self._bind(client, volume, claim, None)
        else:
            self._lose(client, claim, "ClaimMisbound", MISBOUND)

    def _lose(self, client: Client, claim: dict, reason: str, words: str) -> None:
        if claim.get("status", {}).get("phase") != "Lost":
            why = {"decision": "LoseVolume", "reason": reason, "volume": claim["spec"]["volumeName"]}
            client.update_status(PERSISTENTVOLUMECLAIMS, {**claim, "status": {"phase": "Lost"}}, why)
            client.event(claim, "Warning", reason, words)

    def _bind_to_named(self, client: Client, claim: dict, name: str) -> None:
        """Its author has said which volume it shall be; that one may not be there yet, or not be right."""
        volume = client.find(PERSISTENTVOLUMES, "", name)
        if volume is None:
            client.event(claim, "Warning", "FailedBinding", f'volume "{name}" not found')
            return
        if volume["spec"].get("claimRef") and not binding.is_for(volume, claim):
            client.event(claim, "Warning", "FailedBinding", f'volume "{name}" already bound to a different claim.')
        elif wrong := mismatch(volume, claim):
            words = f'Cannot bind to requested volume "{name}": {wrong}'
            client.event(claim, "Warning", "VolumeMismatch", words)
        else:
            self._bind(
                client, volume, claim, {"decision": "BindVolume", "volume": name, "because": "the claim names it"}
            )

    def _find_volume(self, client: Client, claim: dict) -> None:
        view = client.view()
        if claim["spec"].get("storageClassName") is None and (default := default_class(client.list(STORAGECLASSES))):
            # There was no default when it was made. (Kubernetes: retroactive default class assignment.)
            classed = {**claim, "spec": {**claim["spec"], "storageClassName": default}}
            client.update(PERSISTENTVOLUMECLAIMS, classed, {"decision": "AssignDefaultClass", "class": default})
            return
        class_name = claim["spec"].get("storageClassName") or ""
        storage_class = view.get(STORAGECLASSES.resource, "", class_name) if class_name else None
        on = annotation(claim, SELECTED_NODE)
        node = view.get(NODES.resource, "", on) if on else None
        if on and node is None:
            # It is gone with the choice: the scheduler is to choose again.
            forgotten = {"metadata": {"annotations": {SELECTED_NODE: None}}}
            client.patch(PERSISTENTVOLUMECLAIMS, *split_key(key_of(claim)), forgotten)
            return
        waits = waits_for_consumer(storage_class) and node is None
        volumes = view.list(PERSISTENTVOLUMES.resource)
        volume = binding.best_volume(claim, volumes, node, any_free=not waits)
        if volume:
            self._bind(client, volume, claim, {"decision": "BindVolume", "volume": volume["metadata"]["name"]})
        elif waits:
            client.event(claim, "Normal", "WaitForFirstConsumer", WAITING)
        elif storage_class:
            self._provision(client, claim, storage_class, node, view)
        elif class_name:
            words = f'storageclass.storage.k8s.io "{class_name}" not found'
            client.event(claim, "Warning", "ProvisioningFailed", words)
        else:
            client.event(claim, "Normal", "FailedBinding", NOTHING)

    def _bind(self, client: Client, volume: dict, claim: dict, why: dict | None) -> None:
        """Both halves of the binding in one transaction, then both phases in another."""
        halves = ((PERSISTENTVOLUMES, volume, binding.claimed(volume, claim)),
                  (PERSISTENTVOLUMECLAIMS, claim, binding.given(claim, volume)))  # fmt: skip
        self._write(client, halves, "", why)
        volume = client.get(PERSISTENTVOLUMES, "", volume["metadata"]["name"])
        claim = client.get(PERSISTENTVOLUMECLAIMS, *split_key(key_of(claim)))
        phases = ((PERSISTENTVOLUMES, volume, binding.in_phase(volume, "Bound")),
                  (PERSISTENTVOLUMECLAIMS, claim, binding.bound(claim, volume)))  # fmt: skip
        self._write(client, phases, "status", None)

    def _write(self, client: Client, changes: Iterable[tuple], subresource: str, why: dict | None) -> None:
        client.write([Put(kind, new, subresource, why) for kind, old, new in changes if new is not old])

    def _provision(self, client: Client, claim: dict, storage_class: dict, node: dict | None, view: View) -> None:
        if storage_class["provisioner"] != DRIVER:
            words = ELSEWHERE.format(storage_class["provisioner"])
            client.event(claim, "Normal", "ExternalProvisioning", words)
            return
        if claim["spec"].get("selector"):  # it chooses among volumes that are there
            words = SELECTING.format(storage_class["metadata"]["name"])
            client.event(claim, "Warning", "ProvisioningFailed", words)
            return
        engine = _engine([node] if node else view.list(NODES.resource))
        volume = binding.provisioned(claim, storage_class, engine)
        client.create(
            PERSISTENTVOLUMES, volume, why={"decision": "ProvisionVolume", "class": claim["spec"]["storageClassName"]}
        )
        name = volume["metadata"]["name"]
        client.event(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}")

    # Volumes.

    def _sync_volume(self, client: Client, volume: dict) -> None:
        ref = volume["spec"].get("claimRef")
        if not ref or not ref.get("uid"):
            self._set_phase(client, volume, "Available")
            return
        claim = client.find(PERSISTENTVOLUMECLAIMS, ref["namespace"], ref["name"])
        if claim is None or claim["metadata"]["uid"] != ref["uid"]:
            self._release(client, volume)
        elif claim["spec"].get("volumeName") == volume["metadata"]["name"]:
            self._set_phase(client, volume, "Bound")
        elif not claim["spec"].get("volumeName"):
            self.converge(client, claim)
        elif annotation(volume, PROVISIONED_BY):
            self._release(client, volume)  # it was made for a claim that was faster to find another
        else:
            client.update(PERSISTENTVOLUMES, binding.unclaimed(volume))

    def _release(self, client: Client, volume: dict) -> None:
        """Its claim is gone. Kept volumes stay as they are, for people to look at; the others go, with their data."""
        self._set_phase(client, volume, "Released")
        if volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete" and not is_deleting(volume):
            meta = volume["metadata"]
            claim = volume["spec"]["claimRef"]["name"]
            why = {"decision": "ReclaimVolume", "claim": claim, "policy": "Delete"}
            client.delete(PERSISTENTVOLUMES, "", meta["name"], uid=meta["uid"], why=why)

    def _set_phase(self, client: Client, volume: dict, phase: str) -> None:
        new = binding.in_phase(volume, phase)
        if new is not volume:
            client.update_status(PERSISTENTVOLUMES, new)


def _engine(nodes: list[dict]) -> str:
    """The engine that all of these nodes run on; "" where they differ."""
    found = {engine_of(node) for node in nodes}
    return found.pop() if len(found) == 1 else ""
