"""Scenes: what a cluster is to be when a step begins, as files of Kubernetes' objects.

    kind: Scene                      the first document, where there is something to say of the others:
    include: [bank/services.yaml]    files whose objects are part of it; what the scene itself has of the same name is
                                     laid over them, as `kubectl patch` does
    anew: true                       its programs remember what they were told: Reset makes its workloads and their
                                     pods anew, and gives them empty volumes
    forget: true                     the same, of programs that begin anew at SIGHUP, as the bank does: their pods stay
    even: true                       where its pods are matters: at Reset those go that are more than a node's share
    until: [pods app=web waiting == CrashLoopBackOff]
                                     when the step begins; without it, when everything is up. At Reset pods stay that
                                     are as it says, though they are not ready

Its Visitors come when all else is there, and are counted from then: what fails on the way nobody sees.
A scene has no Release: what that is about to change could not be told from what a learner has changed. One without a
Node stands on those of `base.yaml`; all have the class of storage that claims name none for.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.apimachinery import patch
from lab.apimachinery.kinds import BY_GVK, NODEPOOLS, NODES, RELEASES, STORAGECLASSES, Kind
from lab.apimachinery.labels import RUNTIME_LABEL
from lab.apimachinery.manifests import Loader
from lab.apiserver.strategies import strategy_for
from lab.client.clusters import STANDARD

from .claims import Claim, parse
from .pages import SCENES, find_file

BASE = "base.yaml"
HEADER = "Scene"
SAID = ("anew", "forget", "even")  # or not


@dataclass(frozen=True)
class Scene:
    """`objects` with their namespaces, and with the defaults that the API server would fill in."""

    objects: tuple[dict, ...]
    anew: bool = False
    forget: bool = False
    even: bool = False
    until: tuple[Claim, ...] = ()


def read_scene(folder: Path, name: str, runtime: str) -> Scene:
    """The scene in a file of a lesson's folder, or of scenes/, its nodes run by `runtime`. Raises ValueError, in words,
    for one that is not there or not a scene."""
    header, objects = _read(folder, name)
    unknown = header.keys() - {"kind", "include", *SAID, "until"}
    if unknown:
        raise ValueError(
            f"{name}: a Scene has no {', '.join(sorted(unknown))}; it has include, {', '.join(SAID)} and until"
        )
    objects = [*(obj for file in header.get("include", ()) for obj in _included(folder, file, (name,))), *objects]
    if not any(obj.get("kind") == NODES.kind for obj in objects):
        objects = [*_read(SCENES, BASE)[1], *objects]
    objects.append({"apiVersion": STORAGECLASSES.api_version, "kind": STORAGECLASSES.kind, **copy.deepcopy(STANDARD)})
    until = header.get("until", ())
    claims = tuple(map(parse, [until] if isinstance(until, str) else until))
    found: dict[tuple, dict] = {}
    for obj in objects:
        kind = _kind(name, obj)
        meta = obj["metadata"]
        key = (kind, meta.get("namespace"), meta["name"])
        found[key] = patch.apply(patch.STRATEGIC_MERGE_PATCH, kind, found[key], obj) if key in found else obj
    whole = tuple(_whole(kind, obj, runtime) for (kind, *_), obj in found.items())
    return Scene(whole, until=claims, **{word: bool(header.get(word)) for word in SAID})


def _included(folder: Path, name: str, within: tuple[str, ...]) -> Iterator[dict]:
    """The objects of a file, after those of what it includes itself."""
    if name in within:
        raise ValueError(f"{name} includes itself: {' → '.join((*within, name))}")
    header, objects = _read(folder, name)
    for file in header.get("include", ()):
        yield from _included(folder, file, (*within, name))
    yield from objects


def _read(folder: Path, name: str) -> tuple[dict, list[dict]]:
    """The header of a file, {} without one, and its objects."""
    file = find_file(folder, name)
    if file is None:
        raise ValueError(f"there is no file {name}, neither beside this one nor in scenes/")
    try:
        found = [obj for obj in yaml.load_all(file.read_text(), Loader) if obj]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"{name}, line {line}: {error.problem}") from None
    except yaml.YAMLError as error:  # of a character that no YAML has
        raise ValueError(f"{name}: {str(error).splitlines()[0]}") from None
    headed = bool(found) and found[0].get("kind") == HEADER
    return (found[0], found[1:]) if headed else ({}, found)


def _kind(name: str, obj: dict) -> Kind:
    kind = BY_GVK.get((obj.get("apiVersion", ""), obj.get("kind", "")))
    if kind is None:
        raise ValueError(f"{name}: there is no kind {obj.get('kind')} of {obj.get('apiVersion')}")
    if not obj.get("metadata", {}).get("name"):
        raise ValueError(f"{name}: a {kind.kind} has no name")
    if kind is RELEASES:
        raise ValueError(f"{name}: a scene has no Release, which would change what the scene is; the step applies it")
    return kind


def _whole(kind: Kind, obj: dict, runtime: str) -> dict:
    if kind.namespaced:
        obj["metadata"].setdefault("namespace", "default")
    if kind is NODEPOOLS:
        obj["spec"].setdefault("runtime", runtime)
    if kind is NODES:
        obj["metadata"].setdefault("labels", {}).setdefault(RUNTIME_LABEL, runtime)
    strategy_for(kind).default(obj)
    return obj
