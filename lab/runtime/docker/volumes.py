"""Volumes of the engine: named, labelled as ours, and open to containers of any user.

A fresh volume belongs to root, and an application that is not root could write nothing to it. Kubernetes has fsGroup
for that; here the root of the volume is opened to all, once, by copying a folder with that mode over it. A container is
made for this that never starts: so it works the same where the engine is on another machine.
"""

import io
import tarfile
import threading
from pathlib import Path

from docker.errors import NotFound

from lab.runtime import RuntimeFailure

from . import labels
from .configs import volume_mount, volume_name
from .engine import UNAVAILABLE, Engine, failing_as
from .folders import Folders
from .making import PAUSE, ImageMaker
from .removing import remove

FAILED = "CreateContainerError"
TARGET = "/volume"


class Volumes:
    def __init__(self, engine: Engine, lab_id: str, maker: ImageMaker, folders: Folders):
        self._engine = engine
        self._folders = folders
        self._lab_id = lab_id
        self._maker = maker
        self._lock = threading.Lock()

    def ensure(self, cluster: str, name: str) -> str:
        """The volume's name on the engine, made if it is missing."""
        full = volume_name(self._lab_id, cluster, name)
        opener = self._maker.making_name(full)  # still there, it tells that whoever made the volume was interrupted
        with self._lock, failing_as(FAILED):
            found = self._inspect(full)
            if found and (found.get("Labels") or {}).get(labels.LAB) != self._lab_id:
                raise RuntimeFailure(FAILED, f'the volume "{full}" on the engine is not of this lab')
            if found is None or self._is_left(opener):
                self._make(cluster, name, full, opener)
        return full

    def _make(self, cluster: str, name: str, full: str, opener: str) -> None:
        client = self._engine.client
        self._maker.make_pause()
        about = {labels.LAB: self._lab_id, labels.CLUSTER: cluster, labels.VOLUME: name}
        mount = volume_mount(full, TARGET)
        mount["VolumeOptions"]["Labels"] = about
        config = {"Image": PAUSE, "HostConfig": {"NetworkMode": "none", "Mounts": [mount]}}
        if not self._is_left(opener):
            client.create_container_from_config(config, name=opener)  # which makes the volume
        client.put_archive(opener, "/", _open_folder(TARGET))
        remove(client, opener)

    def _inspect(self, full: str) -> dict | None:
        try:
            return self._engine.client.inspect_volume(full)
        except NotFound:
            return None

    def _is_left(self, opener: str) -> bool:
        try:
            return bool(self._engine.client.inspect_container(opener))
        except NotFound:
            return False

    def place(self, source: str) -> Path | None:
        with failing_as(FAILED):
            found = self._inspect(source)
        return Path(found["Mountpoint"]) if found and self._engine.on_this_host() else None

    def share(self, sandbox_id: str, uid: str) -> None:
        self._folders.share(sandbox_id, uid)

    def remove(self, cluster: str, name: str) -> None:
        with failing_as("VolumeFailedDelete", gone_is_fine=True):
            self._engine.client.remove_volume(volume_name(self._lab_id, cluster, name))

    def present(self) -> list[tuple[str, str]]:
        with failing_as(UNAVAILABLE):
            rows = self._engine.client.volumes(filters=labels.filter_of(self._lab_id))["Volumes"] or ()
        return sorted((row["Labels"][labels.CLUSTER], row["Labels"][labels.VOLUME]) for row in rows)


def _open_folder(path: str) -> bytes:
    """A tar archive of an empty folder that anybody may write to."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.type, entry.mode = tarfile.DIRTYPE, 0o777
        tar.addfile(entry)
    return buffer.getvalue()
