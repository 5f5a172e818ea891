"""Volumes, and where containers mount them."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.quantity import canonical

from ..causes import duplicate, forbidden, invalid, not_found, required, unlike, unsupported
from .downward import IN_FILES, validate_field, validate_resource

READABLE_BY_ALL = 0o644  # the mode of mounted files: defaultMode 420, since JSON has no octal
MODE_RANGE = "must be a number between 0 and 0777 (octal), both inclusive"
# Of a node, which has a folder for each path, and not of the machine that the lab runs on: there are no devices in it.
HOST_PATH_TYPES = ("", "Directory", "DirectoryOrCreate", "File", "FileOrCreate")
# A container could put a link in the place of a part while the engine is about to mount it, and see what it leads to.
WITHIN = "another container writes to a folder that this part is in: Docker before 26 cannot mount it safely"
WHOLE = "the lab mounts a volume that containers can write to as a whole: Docker before 26 cannot mount a part safely"
# Of a token in a volume, in seconds: its default life, and the bounds of it.
TOKEN_SECONDS, LEAST_TOKEN_SECONDS, MOST_TOKEN_SECONDS = 3600, 600, 2**32
# The sources that are made of keys, and under which name each refers to its object.
NAMED = {"configMap": "name", "secret": "secretName"}
CLAIM = "persistentVolumeClaim"
WRITABLE = {"emptyDir", "hostPath", CLAIM}


def default_volume(volume: dict) -> None:
    """A volume that names no source is an empty directory."""
    sources = volume.keys() - {"name"}
    if not sources:
        volume["emptyDir"] = {}
    if volume.get("hostPath"):
        volume["hostPath"].setdefault("type", "")
    for source in sources & {"configMap", "secret", "downwardAPI", "projected"}:
        if "defaultMode" not in volume[source]:
            volume[source]["defaultMode"] = READABLE_BY_ALL
    directory = volume.get("emptyDir")
    if directory and "sizeLimit" in directory and canonical(directory["sizeLimit"]) != directory["sizeLimit"]:
        directory["sizeLimit"] = canonical(directory["sizeLimit"])
    for projected in (volume.get("projected") or {}).get("sources") or ():
        _default_items(projected.get("downwardAPI") or {})
        if projected.get("serviceAccountToken") is not None:
            projected["serviceAccountToken"].setdefault("expirationSeconds", TOKEN_SECONDS)
    _default_items(volume.get("downwardAPI") or {})


def _default_items(downward: dict) -> None:
    for item in downward.get("items") or ():
        if item.get("fieldRef") is not None and not item["fieldRef"].get("apiVersion"):
            item["fieldRef"]["apiVersion"] = "v1"


def validate_volumes(volumes: Iterable[dict], path: str) -> Iterator[Cause]:
    seen = set()
    for at, volume in enumerate(volumes):
        here, name = f"{path}[{at}]", volume.get("name", "")
        if not name:
            yield required(f"{here}.name")
        else:
            yield from unlike(f"{here}.name", name, names.dns_label(name))
        if name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name)
        yield from _validate_source(volume, here)


def _validate_source(volume: dict, path: str) -> Iterator[Cause]:
    sources = sorted(volume.keys() - {"name"})
    if not sources:
        yield required(path, "must specify a volume type")
    for source in sources[1:]:
        yield forbidden(f"{path}.{source}", "may not specify more than 1 volume type")
    for source in sources:
        about = volume[source]
        if source in NAMED and not about.get(NAMED[source]):
            yield required(f"{path}.{source}.{NAMED[source]}")
        if not 0 <= about.get("defaultMode", 0) <= 0o777:
            yield invalid(f"{path}.{source}.defaultMode", about["defaultMode"], MODE_RANGE)
        yield from _validate_files(volume, source, path)
    for at, part in enumerate((volume.get("projected") or {}).get("sources") or ()):
        for source in sorted(part):
            yield from _validate_files(part, source, f"{path}.projected.sources[{at}]")
    if CLAIM in sources and not volume[CLAIM].get("claimName"):
        yield required(f"{path}.{CLAIM}.claimName")
    if "hostPath" in sources:
        yield from _validate_host_path(volume["hostPath"], f"{path}.hostPath")


def _validate_files(volume: dict, source: str, path: str) -> Iterator[Cause]:
    """Where the files of a source go, which stands by itself or is projected beside others."""
    about, where = volume[source] or {}, f"{path}.{source}"
    if source in (*NAMED, "downwardAPI"):
        yield from _validate_items(about.get("items") or (), where, keyed=source in NAMED)
    elif source == "serviceAccountToken" and volume[source] is not None:
        yield from _validate_token(about, where)


def _validate_token(token: dict, path: str) -> Iterator[Cause]:
    yield from validate_token_seconds(token["expirationSeconds"], f"{path}.expirationSeconds")
    yield from _validate_local_path(token.get("path", ""), f"{path}.path")


def validate_token_seconds(seconds: int, path: str) -> Iterator[Cause]:
    """How long a token may be good for."""
    if seconds < LEAST_TOKEN_SECONDS:
        yield invalid(path, seconds, "may not specify a duration less than 10 minutes")
    elif seconds > MOST_TOKEN_SECONDS:
        yield invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")


def _validate_host_path(source: dict, path: str) -> Iterator[Cause]:
    if not source.get("path"):
        yield required(f"{path}.path")
    elif ".." in source["path"].split("/"):
        yield invalid(f"{path}.path", source["path"], "must not contain '..'")
    if (source.get("type") or "") not in HOST_PATH_TYPES:
        yield unsupported(f"{path}.type", source["type"], HOST_PATH_TYPES)


def _validate_items(items: Iterable[dict], path: str, keyed: bool) -> Iterator[Cause]:
    for at, item in enumerate(items):
        here = f"{path}.items[{at}]"
        if keyed and not item.get("key"):
            yield required(f"{here}.key")
        if not keyed:
            yield from _validate_downward(item, here)
        yield from _validate_local_path(item.get("path", ""), f"{here}.path")
        if not 0 <= (item.get("mode") or 0) <= 0o777:
            yield invalid(f"{here}.mode", item["mode"], MODE_RANGE)


def _validate_downward(item: dict, path: str) -> Iterator[Cause]:
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if field is not None:
        yield from validate_field(field, f"{path}.fieldRef", IN_FILES)
        if resource is not None:
            yield invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif resource is not None:
        yield from validate_resource(resource, f"{path}.resourceFieldRef", in_file=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")


def _validate_local_path(text: str, path: str) -> Iterator[Cause]:
    """Within the volume: neither absolute nor going up."""
    if not text:
        yield required(path)
    if text.startswith("/"):
        yield invalid(path, text, "must be a relative path")
    if ".." in text.split("/"):
        yield invalid(path, text, "must not contain '..'")


def validate_mounts(container: dict, volumes: dict[str, dict], path: str) -> Iterator[Cause]:
    """`volumes` are the pod's, by name."""
    taken = set()
    for at, mount in enumerate(container.get("volumeMounts") or ()):
        here = f"{path}.volumeMounts[{at}]"
        name, target = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{here}.name")
        elif name not in volumes:
            yield not_found(f"{here}.name", name)
        if not target:
            yield required(f"{here}.mountPath")
        elif target in taken:
            yield invalid(f"{here}.mountPath", target, "must be unique")
        taken.add(target)
        if mount.get("subPath") and mount.get("subPathExpr"):
            yield invalid(f"{here}.subPathExpr", mount["subPathExpr"], "subPathExpr and subPath are mutually exclusive")
        for field in ("subPath", "subPathExpr"):
            if mount.get(field):
                yield from _validate_local_path(mount[field], f"{here}.{field}")
                volume = volumes.get(name, {})
                if volume.keys() & WRITABLE and not ("emptyDir" in volume and field == "subPath"):
                    yield forbidden(f"{here}.{field}", WHOLE)


def validate_parts(spec: dict, path: str) -> Iterator[Cause]:
    """A part of an emptyDir is the pod's alone, and safe where nobody can write to a folder that the part is in."""
    empty = {volume.get("name") for volume in spec.get("volumes") or () if "emptyDir" in volume}
    mounts = [
        (f"{path}.{field}[{n}].volumeMounts[{at}].subPath", mount)
        for field in ("initContainers", "containers", "ephemeralContainers")
        for n, container in enumerate(spec.get(field) or ())
        for at, mount in enumerate(container.get("volumeMounts") or ())
        if mount.get("name") in empty
    ]
    written = {(mount["name"], _part(mount)) for _, mount in mounts if not mount.get("readOnly")}
    for here, mount in mounts:
        part = _part(mount)
        if any((mount["name"], part[:depth]) in written for depth in range(len(part))):
            yield forbidden(here, WITHIN)


def _part(mount: dict) -> tuple[str, ...]:
    return PurePosixPath(mount.get("subPath") or "").parts
