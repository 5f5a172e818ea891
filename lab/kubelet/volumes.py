"""Volumes: folders of the host that containers see. Each lies under `pods/<uid>/volumes/<plugin>/<name>`, and ends with
its pod; only that of a claim lies on the engine, and outlives it (`enginevolumes.py`).

What comes from the API (ConfigMap, Secret, downward API, projected) is swapped as a whole, as Kubernetes' AtomicWriter
does (pkg/volume/util/atomic_writer.go): files are written beside, then one symlink `..data` is renamed over. So a
program that reads never sees half of an old and half of a new configuration.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from lab.runtime import EMPTY_DIR, Mount

from .environment import ConfigError, Find, byte_data, expand, field_value, lookup, resource_value
from .pods import find_container

OfToken = Callable[[dict], str]  # what a projected `serviceAccountToken` asks for → the token

DATA = "..data"
DEFAULT_MODE = 0o644
RESOURCES = {"configMap": "configmaps", "secret": "secrets"}
WORDS = {"configmaps": "config", "secrets": "secret"}
MOST_FILES, MOST_BYTES = 2000, 16 << 20  # of a pod, from the API


class MountError(Exception):
    """A volume cannot be set up (yet): the pod waits, and an event FailedMount says why."""


@dataclass(frozen=True)
class File:
    content: bytes
    mode: int


@dataclass(frozen=True)
class Source:
    """Where a volume is: a folder or file of this machine, or a volume of the engine by the engine's own word for it.

    What comes from the API is read-only, as in Kubernetes: a container that could write there would choose what the
    kubelet, which may be root, follows and removes with the next change."""

    place: Path | str
    read_only: bool = False


Sources = Mapping[str, Source]  # by the volume's name in the pod


def pod_folder(root: Path, uid: str) -> Path:
    return root / "pods" / uid


def remove_folder(folder: Path) -> None:
    """With all that containers have made in it: it may be deeper than Python climbs, or has open files for."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", folder], stderr=subprocess.DEVNULL, check=False)


def remove_pod_folder(root: Path, uid: str) -> None:
    remove_folder(pod_folder(root, uid))


def scratch_folders(root: Path, uid: str) -> list[Path]:
    """Its emptyDirs; none where it is being removed."""
    try:
        return list((pod_folder(root, uid) / "volumes" / EMPTY_DIR).iterdir())
    except OSError:
        return []


def machine_folder(root: Path, node_uid: str) -> Path:
    """What a node has instead of a disk of its own: what its pods see of it (hostPath) is in here, and nothing else."""
    return root / "machines" / node_uid


def remove_machine_folder(root: Path, node_uid: str) -> None:
    remove_folder(machine_folder(root, node_uid))


@dataclass(frozen=True)
class Content:
    """Where the files of a pod's volumes come from."""

    pod: dict
    find: Find
    allocatable: Mapping[str, str]
    of_token: OfToken


def set_up(
    root: Path, machine: Path, content: Content, of_claim: Callable[[str], str], written: bool = True
) -> Sources:
    """Make or refresh all volumes of the pod. `machine` is its node's folder, `of_claim(its name)` the engine's volume.
    Files that nobody can read are not `written`, but what they are made of must be there. Raises MountError."""
    pod = content.pod
    sources: dict[str, Source] = {}
    room = Room()
    for volume in pod["spec"].get("volumes") or ():
        name = volume["name"]
        try:
            claim = volume.get("persistentVolumeClaim")
            if claim:
                sources[name] = Source(of_claim(claim["claimName"]), bool(claim.get("readOnly")))
            elif "hostPath" in volume:
                sources[name] = Source(_of_machine(machine, volume["hostPath"]))
            else:
                place = _set_up(root, content, volume, written, room)
                sources[name] = Source(place, read_only="emptyDir" not in volume)
        except (ConfigError, OSError) as error:
            raise MountError(f'MountVolume.SetUp failed for volume "{name}" : {error}') from error
    return sources


def _of_machine(machine: Path, source: Mapping) -> Path:
    """A path of the node's. Each is a folder or file of its own, side by side, whatever their names say of one being in
    another: so nothing that a container does inside of one leads anywhere else, least of all a symlink. Raises
    ConfigError where the type that is asked for is not what is there."""
    path, kind = source["path"], source.get("type") or ""
    place = machine / quote("/" + path.strip("/"), safe="")
    what = "file" if kind.startswith("File") else "directory"
    if not place.exists() and kind in ("Directory", "File"):
        raise ConfigError(f"hostPath type check failed: {path} is not a {what}")
    if not place.exists():
        machine.mkdir(parents=True, exist_ok=True)
        place.touch() if what == "file" else place.mkdir()
        place.chmod(0o666 if what == "file" else 0o777)  # containers run as any user
    if kind and place.is_file() != (what == "file"):
        raise ConfigError(f"hostPath type check failed: {path} is not a {what}")
    return place


class Room:
    """What one pod's volumes from the API may still unfold into: the same key may be asked for as a thousand files."""

    def __init__(self) -> None:
        self._files, self._bytes = MOST_FILES, MOST_BYTES

    def take(self, file: File) -> None:
        """Raises ConfigError."""
        self._files -= 1
        self._bytes -= len(file.content)
        if min(self._files, self._bytes) < 0:
            raise ConfigError(f"its pod may have {MOST_FILES} files of {MOST_BYTES >> 20} MiB from the API in all")


def _set_up(root: Path, content: Content, volume: dict, written: bool, room: Room) -> Path:
    volumes = pod_folder(root, content.pod["metadata"]["uid"]) / "volumes"
    if "emptyDir" in volume:
        folder = volumes / EMPTY_DIR / volume["name"]
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)  # containers run as any user
        return folder
    plugin = next((p for p in ("configMap", "secret", "downwardAPI", "projected") if p in volume), None)
    if plugin is None:
        raise ConfigError("no volume plugin matched")
    folder = volumes / f"kubernetes.io~{plugin.lower()}" / volume["name"]
    files = files_of(content, volume, room)
    if written:
        write_atomically(folder, files)
    return folder


def files_of(content: Content, volume: dict, room: Room) -> dict[str, File]:
    """The files of a volume that comes from the API, by their path in it. Raises ConfigError, also as soon as there is
    no room for more: each part of a volume may make a whole Secret anew."""
    plugin = next(p for p in ("projected", "configMap", "secret", "downwardAPI") if p in volume)
    source = volume[plugin]
    mode = source.get("defaultMode", DEFAULT_MODE)
    files: dict[str, File] = {}
    for part in source.get("sources") or () if plugin == "projected" else ({plugin: source},):
        for kind, inner in part.items():
            for path, file in _source_files(content, kind, inner, mode):
                room.take(file)
                files[path] = file
    return files


def _source_files(content: Content, plugin: str, source: dict, mode: int) -> Iterator[tuple[str, File]]:
    if plugin == "serviceAccountToken":
        yield source["path"], File(content.of_token(source).encode(), mode)
    elif plugin == "downwardAPI":
        for item in source.get("items") or ():
            yield item["path"], File(_downward(content.pod, item, content.allocatable), item.get("mode", mode))
    elif plugin in RESOURCES:
        yield from _object_files(content, RESOURCES[plugin], source, mode)
    else:
        raise ConfigError(f"projected source {plugin} is not supported here")


def _object_files(content: Content, resource: str, source: dict, mode: int) -> Iterator[tuple[str, File]]:
    name = source.get("secretName") or source.get("name", "")
    optional = bool(source.get("optional"))
    data = byte_data(resource, lookup(resource, name, optional, content.find))
    for item in source.get("items") or [{"key": key, "path": key} for key in data]:
        if item["key"] in data:
            yield item["path"], File(data[item["key"]], item.get("mode", mode))
        elif not optional:
            raise ConfigError(f"references non-existent {WORDS[resource]} key: {item['key']}")


def _downward(pod: dict, item: dict, allocatable: Mapping[str, str]) -> bytes:
    if "fieldRef" in item:
        return field_value(pod, item["fieldRef"]["fieldPath"]).encode()
    ref = item["resourceFieldRef"]
    of = find_container(pod, ref.get("containerName", ""))
    if of is None:
        raise ConfigError(f"container {ref.get('containerName')} not found")
    return resource_value(pod, of, ref, allocatable).encode()


def write_atomically(folder: Path, files: Mapping[str, File]) -> None:
    """Make `folder` hold exactly these files, at one stroke; nothing is touched if it does already."""
    folder.mkdir(parents=True, exist_ok=True)
    current = folder / DATA
    if current.exists() and _read(current) == {path: file.content for path, file in files.items()}:
        return
    fresh = folder / f"..{secrets.token_hex(6)}"
    for path, file in files.items():
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(file.mode)
    fresh.mkdir(exist_ok=True)
    old = os.readlink(current) if current.is_symlink() else None
    link = folder / "..data_tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(fresh.name)
    link.replace(current)
    _link_names(folder, {path.split("/")[0] for path in files})
    if old:
        shutil.rmtree(folder / old, ignore_errors=True)


def _read(data: Path) -> dict[str, bytes]:
    return {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}


def _link_names(folder: Path, names: set[str]) -> None:
    """The names that a container sees point through `..data`, so that they change all at once."""
    for entry in folder.iterdir():
        if not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()
    for name in names:
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(f"{DATA}/{name}")


def _make_part(place: Path, whole: Path) -> None:
    """Of an emptyDir: each folder on the way is for everybody, as the whole is."""
    if place != whole and not place.exists():
        _make_part(place.parent, whole)
        place.mkdir(exist_ok=True)
        place.chmod(0o777)


def mounts_of(container: dict, sources: Sources, known: Mapping[str, str]) -> tuple[Mount, ...]:
    """What the container sees where. Raises MountError for what the pod does not have."""
    mounts = []
    for mount in container.get("volumeMounts") or ():
        name = mount["name"]
        if name not in sources:
            raise MountError(f'volume "{name}" of container {container["name"]} not found')
        place, read_only = sources[name].place, sources[name].read_only or bool(mount.get("readOnly"))
        below = mount.get("subPath") or expand(mount.get("subPathExpr") or "", known)
        if below and isinstance(place, Path):
            whole, place = place.resolve(), (place / below).resolve()
            within = place.is_relative_to(whole)  # a variable may hold `..`
            if within and not sources[name].read_only:
                _make_part(place, whole)
            if not (within and place.exists()):
                of = f'volumeMount "{name}" of container "{container["name"]}"'
                raise MountError(f"failed to prepare subPath for {of}: {below} is not in its volume")
        mounts.append(Mount(str(place), mount["mountPath"], read_only, volume=not isinstance(place, Path)))
    return tuple(mounts)
