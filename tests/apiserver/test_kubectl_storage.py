"""Real kubectl on claims, volumes and classes: the lines that it prints for them."""

from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from lab.client import Client

from .test_kubectl import Kubectl


def test_storage_prints_as_kubernetes_does(kubectl, kubeconfig, api):
    k, client = Kubectl(kubectl, kubeconfig), Client("default", "test")
    bound = {"accessModes": ["ReadWriteMany", "ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
    source = {"csi": {"driver": "orrery.io/volumes", "volumeHandle": "disk"}}
    ref = {"claimRef": {"namespace": "default", "name": "data"}}
    client.create(PERSISTENTVOLUMES, {"metadata": {"name": "disk"}, "spec": bound | source | ref})
    client.patch(PERSISTENTVOLUMES, "", "disk", {"status": {"phase": "Bound"}}, "status")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    for name, more in (("data", {"volumeName": "disk", "storageClassName": ""}), ("waiting", {})):
        meta = {"name": name, "namespace": "default"}
        client.create(PERSISTENTVOLUMECLAIMS, {"metadata": meta, "spec": spec | more})
    client.patch(PERSISTENTVOLUMECLAIMS, "default", "data", {"status": {"phase": "Bound", **bound}}, "status")

    head, data, waiting = k.rows("get", "pvc")
    wanted = "NAME,STATUS,VOLUME,CAPACITY,ACCESS MODES,STORAGECLASS,VOLUMEATTRIBUTESCLASS,AGE"
    assert head == wanted.split(",")
    assert data[:5] == ["data", "Bound", "disk", "1Gi", "RWO,RWX"]
    assert waiting[:4] == ["waiting", "Pending", "standard", "<unset>"]
    head, volume = k.rows("get", "pv")
    assert head[:7] == ["NAME", "CAPACITY", "ACCESS MODES", "RECLAIM POLICY", "STATUS", "CLAIM", "STORAGECLASS"]
    assert volume[:6] == ["disk", "1Gi", "RWO,RWX", "Retain", "Bound", "default/data"]
    head, standard = k.rows("get", "sc")
    assert head == ["NAME", "PROVISIONER", "RECLAIMPOLICY", "VOLUMEBINDINGMODE", "ALLOWVOLUMEEXPANSION", "AGE"]
    assert standard[:5] == ["standard (default)", "orrery.io/volumes", "Delete", "WaitForFirstConsumer", "false"]
    assert "pvc-protection" in k.run("describe", "pvc", "data")
