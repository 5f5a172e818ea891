"""Doing an Act to a cluster: what a solution, a fault or a button in a lesson's text asks for.

Each answers as the board's acts do: what was done, in words, and the kubectl command that does the same.
"""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml
from django.conf import settings

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import BY_GVK, NODES
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.labels import RUNTIME_LABEL
from lab.client import Client, Put
from lab.dashboard.actions import perform
from lab.dashboard.commandline import arguments
from lab.dashboard.console import MISSING, place, program
from lab.dashboard.done import Done
from lab.dashboard.noderows import usual_runtime
from lab.dashboard.requests import ask

from .claims import parse_subject
from .facts import find, kind_of
from .fitting import FILLED_IN
from .lesson import Act
from .pages import find_file

SECONDS = 60.0


def do(client: Client, act: Act, folder: Path) -> Done:
    """Raises ApiError, in words."""
    try:
        return ACTS[act.kind](client, act, folder)
    except ValueError as error:
        raise bad_request(str(error)) from None


def _board(client: Client, act: Act, folder: Path) -> Done:
    """An act of the board. `of` names what it is done to by a subject: the first that fits."""
    form = dict(act.form)
    if "of" in form:
        subject = parse_subject(str(form.pop("of")))
        found = find(client.view(), subject)
        if not found:
            raise ApiError(404, "NotFound", f"there {'is' if '/' in str(subject) else 'are'} no {subject}")
        form |= {"namespace": found[0]["metadata"].get("namespace", ""), "name": found[0]["metadata"]["name"]}
    return perform(client, act.text, {"namespace": "default", **form})


def _apply(client: Client, act: Act, folder: Path) -> Done:
    file = find_file(folder, act.text)
    if file is None:
        raise ApiError(404, "NotFound", f"there is no file {act.text}")
    puts = []
    for obj in filter(None, yaml.safe_load_all(file.read_text())):
        kind, meta = BY_GVK[obj["apiVersion"], obj["kind"]], obj["metadata"]
        if kind.namespaced:
            meta.setdefault("namespace", "default")
        if kind is NODES:  # a machine is run by what runs the others
            meta.setdefault("labels", {}).setdefault(RUNTIME_LABEL, usual_runtime(client.list(NODES)))
        # What is named by generateName is another one each time.
        old = client.find(kind, meta.get("namespace", ""), meta["name"]) if "name" in meta else None
        if old:
            obj = {**old, **obj, "metadata": {**old["metadata"], **meta}}
            if kind in (NODES, *FILLED_IN):
                obj["spec"] = {**old.get("spec", {}), **obj.get("spec", {})}
        puts.append(Put(kind, obj))
    client.write(puts)
    verb = "apply" if all("name" in put.object["metadata"] for put in puts) else "create"
    return Done(f"Applied {act.text}", kubectl(verb, "-f", act.text))


def _delete(client: Client, act: Act, folder: Path) -> Done:
    subject = parse_subject(act.text)
    kind, found = kind_of(subject.kind), find(client.view(), subject)
    assert kind
    for obj in found:
        client.delete(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
    which = [subject.name] if subject.name else ["-l", subject.labels] if subject.labels else ["--all"]
    home = subject.namespace if kind.namespaced else ""
    return Done(f"Deleted {len(found)} {kind.plural}", kubectl("delete", kind.plural, *which, namespace=home))


def _http(client: Client, act: Act, folder: Path) -> Done:
    method, _, address = act.text.partition(" ")
    service, _, path = address.removeprefix("http://").partition("/")
    try:
        status, _ = ask(client.cluster, method, service, "default", f"/{path}")
    except OSError as error:
        return Done(f"{act.text}: no answer ({error})")
    return Done(f"{act.text}: {status}")


def _kubectl(client: Client, act: Act, folder: Path) -> Done:
    words, given = arguments(act.text), b""
    if "input" in act.form and (file := find_file(folder, str(act.form["input"]))):
        given = file.read_bytes()
    command = program()
    if not command:
        raise ApiError(503, "ServiceUnavailable", MISSING)
    server = f"{settings.API}/clusters/{client.cluster}"
    try:
        ran = subprocess.run(
            [command, f"--server={server}", *words], input=given, capture_output=True, timeout=SECONDS, **place()
        )
    except subprocess.TimeoutExpired:
        raise ApiError(504, "Timeout", f"kubectl {act.text} took more than {SECONDS:g} s") from None
    if ran.returncode:
        raise bad_request(ran.stderr.decode(errors="replace").strip()[-500:])
    return Done(ran.stdout.decode(errors="replace").strip()[-500:] or "Done", f"kubectl {shlex.join(words)}")


ACTS: dict[str, Callable[[Client, Act, Path], Done]] = {
    "do": _board,
    "apply": _apply,
    "delete": _delete,
    "http": _http,
    "kubectl": _kubectl,
}
