"""The files of a pod's volumes, where the engine is on another machine and sees none of the kubelet's.

Each sandbox there has a volume of its own, which goes with it, at a place where its own program does not look. What
the kubelet has written for the pod is copied into it, and containers mount it from there, by its path on that machine.
So an emptyDir lasts as long as the sandbox; and as nobody sees from here how full it is, a stranger's lies in memory,
which is theirs, and has an end.
"""

import io
import os
import secrets
import tarfile
from pathlib import Path

from lab.runtime import EMPTY_DIR, RuntimeFailure, SandboxSpec

from . import strangers
from .engine import UNAVAILABLE, Engine, failing_as
from .making import PAUSE
from .removing import remove

TARGET = "/folders"
FAILED = "CreateContainerError"
KNOWN_MOST = 4000
UNSEEN = "bind source path does not exist"  # the engine's words


class Folders:
    def __init__(self, engine: Engine, data_dir: Path, further: bool):
        self._engine, self._pods, self._further = engine, (data_dir / "pods").resolve(), further
        self._seen: bool | None = None
        self._shared: dict[str, dict[str, str]] = {}  # sandbox → what was copied last: folder → its version

    def of_sandbox(self, spec: SandboxSpec) -> list[dict]:
        """What it mounts: the place for its pod's files, before it is known whether they need it."""
        if not self._further:
            return []
        options: dict = {"NoCopy": True}
        if spec.stranger:
            options["DriverConfig"] = {"Name": "local", "Options": strangers.FOLDERS}
        return [{"Type": "volume", "Target": TARGET, "VolumeOptions": options}]

    def bound(self, sandbox_id: str, uid: str, config: dict) -> dict:
        """The config of a container of that pod, its mounts where the engine finds them. Raises RuntimeFailure where it
        cannot find them."""
        mounts = config["HostConfig"]["Mounts"]
        if not any(mount["Type"] == "bind" for mount in mounts) or self._sees():
            return config
        with failing_as(FAILED):
            there = self._engine.client.inspect_container(sandbox_id)["Mounts"]
        root = next((mount["Source"] for mount in there if mount["Destination"] == TARGET), None)
        if root is None:
            raise RuntimeFailure(FAILED, "the pod was begun by an older lab, without a place for its files: delete it")
        moved = [self._moved(mount, root) if mount["Type"] == "bind" else mount for mount in mounts]
        self._copy(sandbox_id, uid)
        return {**config, "HostConfig": {**config["HostConfig"], "Mounts": moved}}

    def share(self, sandbox_id: str, uid: str) -> None:
        """Bring what has changed to where the pod's containers see it. Raises RuntimeFailure."""
        if not self._sees():
            self._copy(sandbox_id, uid)

    def _sees(self) -> bool:
        """Whether what is here is there, too: on this machine, or beside the kubelet on another. Asked once, with a
        folder that no other machine has by chance."""
        if self._further and self._seen is None:
            here = self._pods.parent / f"seen-{secrets.token_hex(8)}"
            here.mkdir(parents=True)
            mount = {"Type": "bind", "Source": str(here), "Target": TARGET, "ReadOnly": True}
            config = {"Image": PAUSE, "HostConfig": {"NetworkMode": "none", "Mounts": [mount]}}
            client = self._engine.client
            try:
                with failing_as(UNAVAILABLE):
                    remove(client, client.create_container_from_config(config)["Id"])
                self._seen = True
            except RuntimeFailure as failure:
                if UNSEEN not in failure.message:
                    raise
                self._seen = False
            finally:
                here.rmdir()
        return self._seen is not False

    def _moved(self, mount: dict, root: str) -> dict:
        place = Path(mount["Source"]).resolve()
        if not place.is_relative_to(self._pods):
            raise RuntimeFailure(FAILED, "a hostPath is not to be had on an engine on another machine")
        parts = place.relative_to(self._pods).parts
        if _is_containers_own(parts):
            # What a container has made of that folder meanwhile, perhaps a link that leads out of it, nobody here sees.
            raise RuntimeFailure(FAILED, "a subPath of an emptyDir is not to be had on an engine on another machine")
        return {**mount, "Source": "/".join([root, *parts])}

    def _copy(self, sandbox_id: str, uid: str) -> None:
        folder = self._pods / uid
        version = {str(each): os.readlink(each) for each in folder.glob("volumes/*/*/..data")}
        version |= {str(each): "" for each in folder.glob("volumes/*/*")}
        if self._shared.get(sandbox_id, {}) != version:
            with failing_as(FAILED):
                self._engine.client.put_archive(sandbox_id, TARGET, _packed(folder))
            if len(self._shared) >= KNOWN_MOST:  # of those that have gone, most of them: to copy again does no harm
                self._shared.clear()
            self._shared[sandbox_id] = version


def _is_containers_own(path: tuple[str, ...]) -> bool:
    """Whether it is inside of an emptyDir, and not one."""
    return EMPTY_DIR in path and len(path) > path.index(EMPTY_DIR) + 2


def _packed(folder: Path) -> bytes:
    """A tar archive of a pod's volumes; of emptyDirs only that they are there."""

    def entry(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        return None if _is_containers_own(Path(info.name).parts) else info

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(folder, arcname=folder.name, filter=entry)
    return buffer.getvalue()
