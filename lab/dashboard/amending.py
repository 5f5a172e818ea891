"""Acts that a card advises and nothing else on the board does: a change of what leads, keeps or limits; a taint off."""

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import (
    BY_RESOURCE,
    INGRESSES,
    NODEPOOLS,
    NODES,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    RESOURCEQUOTAS,
    SERVICES,
)
from lab.apimachinery.kubectl import kubectl
from lab.client import Client

from .done import Action, Done, patch

AMENDED = (PERSISTENTVOLUMES, PODDISRUPTIONBUDGETS, INGRESSES, SERVICES, NODES, NODEPOOLS, RESOURCEQUOTAS)


def amend(client: Client, namespace: str, name: str, form: dict) -> Done:
    """`patch`: the change itself, a merge patch, or a JSON patch if it is a list."""
    kind, changes = BY_RESOURCE.get(str(form.get("resource"))), form.get("patch")
    if kind not in AMENDED:
        raise ApiError(404, "NotFound", f"the board amends no {form.get('resource')}")
    if not isinstance(changes, dict | list):
        raise bad_request("patch must be an object or a list")
    return Done(f"{kind.kind} {name} is changed", patch(client, kind, namespace, name, changes))


def untaint(client: Client, namespace: str, name: str, form: dict) -> Done:
    """`taint`: its key, or `key:effect` where only that one of them goes."""
    node, taint = client.get(NODES, "", name), str(form.get("taint"))
    taints = node["spec"].get("taints") or []
    kept = [one for one in taints if taint not in (one["key"], f"{one['key']}:{one['effect']}")]
    if kept == taints:
        raise bad_request(f"{name} has no taint {taint}")
    spec = {field: held for field, held in node["spec"].items() if field != "taints"}
    # By its resourceVersion: who taints it meanwhile is not overruled by a list from before.
    client.update(NODES, {**node, "spec": {**spec, "taints": kept} if kept else spec})
    return Done(f"{name} has no taint {taint} any more", kubectl("taint", "node", name, f"{taint}-"))


AMENDING: dict[str, Action] = {"amend": amend, "untaint": untaint}
