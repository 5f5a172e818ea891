"""From a claim to a volume of the engine, and back to nothing: what a CSI driver does for Kubernetes.

A volume is made when the first container is to see it, and removed when its PersistentVolume is deleted and its reclaim
policy says Delete: the finalizer on the object waits for that, and only the kubelet may take it off.
"""

import logging
from collections.abc import Callable

from lab.apimachinery.engines import engine_of
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from lab.apimachinery.meta import is_deleting
from lab.apimachinery.volumes import (
    MADE,
    PROVISIONER_FINALIZER,
    VOLUME_PROTECTION,
    annotation,
    is_bound,
    placed,
)
from lab.apiserver.admission.guard import MOST
from lab.client import Client
from lab.runtime import Runtime, RuntimeFailure, Simulation

from .environment import ConfigError

log = logging.getLogger(__name__)
FULL = "{} volumes of this cluster are on the engine, as many as a workshop allows: delete a PersistentVolume"
MOST_OF_STRANGER = MOST[PERSISTENTVOLUMECLAIMS.resource]
GONE = "volume {} is gone from the engine, and what was written with it: delete the claim, and make another"


class EngineVolumes:
    """`client(cluster)` is this agent's."""

    def __init__(self, runtime: Runtime, client: Callable[[str], Client]):
        self._runtime = runtime
        self._client = client
        self._told: dict[str, str] = {}  # volume's uid → why it could not be removed, as was said last

    def source(self, cluster: str, namespace: str, claim_name: str) -> str:
        """The volume behind a claim, made if it is missing: a mount's source. Raises ConfigError."""
        client = self._client(cluster)
        volume = _bound_volume(client, namespace, claim_name)
        handle = volume["spec"]["csi"]["volumeHandle"]
        try:
            if (cluster, handle) not in self._runtime.volumes.present():
                if annotation(volume, MADE):
                    raise ConfigError(GONE.format(handle))
                self._make_room(client)
            source = self._runtime.volumes.ensure(cluster, handle)
        except RuntimeFailure as failure:
            if failure.reason == "EngineUnavailable":
                raise
            raise ConfigError(failure.message) from failure
        if not annotation(volume, MADE) and not is_deleting(volume):
            self._settle(_because_of(client, volume), volume)
        return source

    def _make_room(self, client: Client) -> None:
        """A stranger has no more volumes than they may have claims, whatever they kept: what no object names any more,
        because it was to be kept when that went, goes first."""
        if not client.view().guard:
            return
        theirs = {handle for cluster, handle in self._runtime.volumes.present() if cluster == client.cluster}
        # Asked in this order: what is made meanwhile is named, or not among them yet.
        named = {volume["spec"].get("csi", {}).get("volumeHandle") for volume in client.list(PERSISTENTVOLUMES)}
        for handle in sorted(theirs - named)[: max(0, len(theirs) + 1 - MOST_OF_STRANGER)]:
            self._runtime.volumes.remove(client.cluster, handle)
            theirs.discard(handle)
        if len(theirs) >= MOST_OF_STRANGER:
            raise ConfigError(FULL.format(len(theirs)))

    def _settle(self, client: Client, volume: dict) -> None:
        """Write down that it is made, and lies on this engine if nobody had said on which. A Simulation forgets what it
        has made. By a patch, for its controller may be writing too."""
        marks = {} if isinstance(self._runtime, Simulation) else {MADE: "true"}
        new = placed(volume, self._runtime.engine)
        meta = {key: new["metadata"].get(key) for key in ("labels", "finalizers")}
        patch = {"metadata": meta | {"annotations": marks}, "spec": {"nodeAffinity": new["spec"].get("nodeAffinity")}}
        try:
            client.patch(PERSISTENTVOLUMES, "", volume["metadata"]["name"], patch)
        except ApiError as error:
            raise ConfigError(f"failed to say where PV {volume['metadata']['name']} lies: {error.message}") from error

    def reclaim(self, cluster: str) -> None:
        """Remove the volumes of this engine whose objects are deleted, and let those go."""
        client = self._client(cluster)
        for volume in client.list(PERSISTENTVOLUMES):
            if is_deleting(volume) and self._is_ours_to_remove(volume):
                try:
                    self._reclaim(_because_of(client, volume), volume)
                except ApiError as error:  # the next round, in a second, looks again
                    log.info("volume %s stays: %s", volume["metadata"]["name"], error.message)

    def _is_ours_to_remove(self, volume: dict) -> bool:
        meta = volume["metadata"]
        held = meta.get("finalizers") or ()
        here = engine_of(volume) == self._runtime.engine
        return here and PROVISIONER_FINALIZER in held and VOLUME_PROTECTION not in held

    def _reclaim(self, client: Client, volume: dict) -> None:
        meta, spec = volume["metadata"], volume["spec"]
        try:
            if spec["persistentVolumeReclaimPolicy"] == "Delete":
                self._runtime.volumes.remove(client.cluster, spec["csi"]["volumeHandle"])
        except RuntimeFailure as failure:
            # The remains of its last container may still be there: then the next round, in a second, succeeds.
            log.info("volume %s stays: %s", meta["name"], failure.message)
            if "in use" not in failure.message and self._told.get(meta["uid"]) != failure.message:
                self._told[meta["uid"]] = failure.message
                client.event(volume, "Warning", "VolumeFailedDelete", failure.message)
            return
        self._told.pop(meta["uid"], None)
        left = [one for one in meta["finalizers"] if one != PROVISIONER_FINALIZER]
        policy = spec["persistentVolumeReclaimPolicy"]
        because = "its data is removed" if policy == "Delete" else f"its data is left: reclaim policy {policy}"
        why = {"decision": "RemoveFinalizer", "finalizer": PROVISIONER_FINALIZER, "because": because}
        client.update(PERSISTENTVOLUMES, {**volume, "metadata": {**meta, "finalizers": left}}, why)


def _because_of(client: Client, volume: dict) -> Client:
    return client.caused_by(int(volume["metadata"]["resourceVersion"]))


def _bound_volume(client: Client, namespace: str, name: str) -> dict:
    """The PersistentVolume that the claim is bound to. Raises ConfigError, in the kubelet's words."""
    about = f"error processing PVC {namespace}/{name}"
    claim = client.find(PERSISTENTVOLUMECLAIMS, namespace, name)
    if claim is None:
        raise ConfigError(f'{about}: failed to fetch PVC from API server: persistentvolumeclaims "{name}" not found')
    volume = client.find(PERSISTENTVOLUMES, "", claim["spec"]["volumeName"]) if is_bound(claim) else None
    if volume is None or (volume["spec"].get("claimRef") or {}).get("uid") != claim["metadata"]["uid"]:
        raise ConfigError(f"{about}: PVC is not bound")
    return volume
