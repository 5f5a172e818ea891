"""Acts on what steers: releases by weight and verdict, visitors by their rate; and the removal of such things.

A release is asked for by its deployment, on whose card its buttons stand, or by its own name where the form's
`resource` says so.
"""

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import (
    BUILDS,
    BY_RESOURCE,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    NODEPOOLS,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    RELEASES,
    SERVICES,
    VISITORS,
)
from lab.client import Client

from .done import Action, Done, annotate, create, delete, patch
from .rows import WORKLOADS
from .steeringrows import SEEN, is_over, shown_first

RATE_BEFORE = "orrery.io/rate-before"  # on visitors who pause: how many they were
FIRST_RATE = 20  # requests a second: enough to see them flow, and no load
CONCURRENCY = 50
REMOVABLE = (
    *(SERVICES, INGRESSES, HORIZONTALPODAUTOSCALERS, NODEPOOLS, VISITORS, RELEASES),
    *(PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODDISRUPTIONBUDGETS, BUILDS),
)


def current_release(client: Client, namespace: str, name: str, form: dict) -> dict:
    """The release of that name, or the one that the card of a deployment shows. Raises ApiError 400 if it has none."""
    if form.get("resource") == RELEASES.resource:
        return client.get(RELEASES, namespace, name)
    client.get(DEPLOYMENTS, namespace, name)
    found = [one for one in client.list(RELEASES, namespace) if one["spec"].get("deployment") == name]
    shown, _ = shown_first(found)
    if shown is None:
        raise bad_request(f"{name} has no release in progress")
    return shown


def steer(client: Client, release: dict, spec: dict) -> str:
    """Write something into the spec of a release that is under way: the command for it."""
    namespace = release["metadata"]["namespace"]
    name = release["metadata"]["name"]
    if is_over(release):
        raise bad_request(f"release {name} is over: {release.get('status', {}).get('phase')}")
    return patch(client, RELEASES, namespace, name, {"spec": spec})


def weigh(client: Client, namespace: str, name: str, form: dict) -> Done:
    """How many percent of the visitors get the new version, until somebody says otherwise."""
    release = current_release(client, namespace, name, form)  # what is gone is told before what is wrong
    weight = form.get("weight")
    if not isinstance(weight, int) or isinstance(weight, bool):
        raise bad_request("weight must be a whole number")
    command = steer(client, release, {"weight": weight})
    return Done(f"{weight} % of the visitors of {name} get the new version", command)


def promote(client: Client, namespace: str, name: str, form: dict) -> Done:
    command = steer(client, current_release(client, namespace, name, form), {"verdict": "Promote"})
    return Done(f"{name}: all visitors get the new version", command)


def abort(client: Client, namespace: str, name: str, form: dict) -> Done:
    command = steer(client, current_release(client, namespace, name, form), {"verdict": "Abort"})
    return Done(f"{name}: all visitors get the old version", command)


def hold(client: Client, namespace: str, name: str, form: dict) -> Done:
    """Pause the release, or let it go on."""
    release = current_release(client, namespace, name, form)
    paused = _wants_pause(form)
    command = steer(client, release, {"paused": paused})
    return Done(f"Release {release['metadata']['name']} {'stays as it is' if paused else 'goes on'}", command)


def put_away(client: Client, namespace: str, name: str, form: dict) -> Done:
    """How a release ended has been read: its line leaves the card, for everybody."""
    release = current_release(client, namespace, name, form)["metadata"]["name"]
    return Done(f"Release {release} is put away", annotate(client, RELEASES, namespace, release, SEEN, "true"))


def turn_up(client: Client, namespace: str, name: str, form: dict) -> Done:
    """The first visitors of a service; or the ones that it has, if they pause."""
    service = client.get(SERVICES, namespace, name)
    known = [one for one in client.list(VISITORS, namespace) if one["spec"].get("service", "").split(":")[0] == name]
    if known:
        return set_rate(client, namespace, known[0]["metadata"]["name"], {"rate": FIRST_RATE})
    spec = {"service": service["metadata"]["name"], "path": "/", "rate": FIRST_RATE, "concurrency": CONCURRENCY}
    visitors = {"metadata": {"name": name, "namespace": namespace}, "spec": spec}
    return Done(f"{FIRST_RATE} requests a second for {name}", create(client, VISITORS, [visitors]))


def set_rate(client: Client, namespace: str, name: str, form: dict) -> Done:
    client.get(VISITORS, namespace, name)
    rate = form.get("rate")
    if not isinstance(rate, int | float) or isinstance(rate, bool) or rate < 0:
        raise bad_request("rate must be a number of requests a second")
    return _visit(client, namespace, name, rate, None)


def hush(client: Client, namespace: str, name: str, form: dict) -> Done:
    """Let visitors pause, or come back as many as they were."""
    visitors = client.get(VISITORS, namespace, name)
    rate, before = visitors["spec"].get("rate", 0), visitors["metadata"].get("annotations", {}).get(RATE_BEFORE)
    if _wants_pause(form):
        return _visit(client, namespace, name, 0, f"{rate:g}" if rate else before)
    return _visit(client, namespace, name, rate or float(before or FIRST_RATE), None)


def _wants_pause(form: dict) -> bool:
    """What the button said when it was pressed, and never "the other": the page may ask twice, or be late."""
    if not isinstance(form.get("pause"), bool):
        raise bad_request("pause must be true or false")
    return form["pause"]


def _visit(client: Client, namespace: str, name: str, rate: float, before: str | None) -> Done:
    rate = int(rate) if rate == int(rate) else rate
    said = f"{rate:g} requests a second for {name}" if rate else f"The visitors {name} pause"
    changes = {"metadata": {"annotations": {RATE_BEFORE: before}}, "spec": {"rate": rate}}
    return Done(said, patch(client, VISITORS, namespace, name, changes))


def remove(client: Client, namespace: str, name: str, form: dict) -> Done:
    """Delete a workload, whose pods go with it, or one of the things that only lead, steer or keep: what runs stays."""
    kind = BY_RESOURCE.get(str(form.get("resource")))
    if kind not in (*WORKLOADS, *REMOVABLE):
        raise ApiError(404, "NotFound", f"the board deletes no {form.get('resource')}")
    end = "and its pods go" if kind in WORKLOADS else "is gone"
    return Done(f"{kind.kind} {name} {end}", delete(client, kind, namespace, name))


STEERING: dict[str, Action] = {
    "weigh": weigh,
    "promote": promote,
    "abort": abort,
    "hold": hold,
    "put-away": put_away,
    "turn-up": turn_up,
    "rate": set_rate,
    "hush": hush,
    "remove": remove,
}
