"""The one thing that would give a pod its node: the least change, as far as the recorded verdicts tell."""

from collections.abc import Iterator
from decimal import Decimal

from lab.apimachinery.controlplane import CONTROL_PLANE
from lab.apimachinery.kinds import BY_GVK, NODEPOOLS, NODES
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import condition, controller_of, key_of
from lab.apimachinery.nodeaffinity import admits
from lab.apimachinery.podresources import pod_resources
from lab.apimachinery.quantity import parse_quantity
from lab.apimachinery.taints import NOT_READY, OUT_OF_SERVICE, UNREACHABLE

from . import objections, revival
from .card import Help
from .objections import Objection
from .sizes import many
from .subject import Subject

AT_MOST = "max node group size reached"  # the cluster autoscaler's
MIB = 2**20
Found = list[tuple[dict, Objection]]  # a node's verdict, and one of its reasons
IN_TROUBLE = (NOT_READY, UNREACHABLE, OUT_OF_SERVICE)


def remedy(subject: Subject, why: dict) -> Help | None:
    """The first that there is, those that cost least first."""
    found = [(item, Objection.of(reason)) for item in why["nodes"] for reason in item.get("reasons", ())]
    for attempt in (_await, _uncordon, _revive, _buy, _shrink, _tolerate, _label):
        if help_ := next(attempt(subject, found), None):
            return help_
    return next(_words(why), None)


def _await(subject: Subject, found: Found) -> Iterator[Help]:
    """A node that the cluster autoscaler has bought for it, and that is not there yet."""
    for node in subject.client.list(NODES):
        if _boots(node):
            it = subject.other(NODES, "", node["metadata"]["name"])
            row = it.decision("BuyNode") if it else None
            if row and key_of(subject.obj) in row["why"]["for"]:
                yield Help(f"Wait: the cluster autoscaler has bought {row['why']['bought']} for it, which boots.")


def _boots(node: dict | None) -> bool:
    return node is not None and (condition(node, "Ready") or {}).get("reason") == "NodeBooting"


def refusals(subject: Subject) -> Iterator[tuple[dict, dict]]:
    """Of each pool of nodes that buys none for it: the pool, and the row that says so."""
    for pool in subject.client.list(NODEPOOLS):
        it = subject.other(NODEPOOLS, "", pool["metadata"]["name"]) if pool.get("status", {}).get("message") else None
        row = it.decision("BuyNothing") if it else None
        if row and key_of(subject.obj) in row["why"]["refused"]:
            yield pool, row


def _buy(subject: Subject, found: Found) -> Iterator[Help]:
    for pool, row in refusals(subject):
        if AT_MOST in row["why"]["refused"][key_of(subject.obj)]:
            name, most = pool["metadata"]["name"], pool["spec"]["maxNodes"]
            patch = ("patch", NODEPOOLS.singular, name, "--type=merge", "-p", f'{{"spec":{{"maxNodes":{most + 1}}}}}')
            yield Help(f"Let pool {name} have more than {many(most, 'node')}, or make room.", kubectl(*patch))


def _uncordon(subject: Subject, found: Found) -> Iterator[Help]:
    for item, objection in found:
        if objection.kind == objections.CORDONED and _may_go(subject, item["node"]):
            yield Help(
                f"Uncordon {item['node']}: so far nothing else is held against it.", kubectl("uncordon", item["node"])
            )


def _revive(subject: Subject, found: Found) -> Iterator[Help]:
    for item, objection in found:
        troubled = objection.kind == objections.TAINT and objection.what in IN_TROUBLE
        boots = _boots(subject.client.find(NODES, "", item["node"]))
        it = subject.other(NODES, "", item["node"]) if troubled and not boots else None
        if it and _may_go(subject, it.name):
            yield revival.back(it, ": while nobody hears that it is well, nothing new is put there")


def _may_go(subject: Subject, node: str) -> bool:
    """Whether its own choice of nodes lets it go there: after the first filter that objects, no other is asked."""
    found = subject.client.find(NODES, "", node)
    return found is not None and admits(subject.obj["spec"], found)


def _shrink(subject: Subject, found: Found) -> Iterator[Help]:
    """The node that lacks least. It helps only where the pod asks for more than is lacking."""
    asked = pod_resources(subject.obj["spec"], "requests", _amounts)
    lacking = [(item["node"], item["lacks"]) for item, _ in found if item.get("lacks")]
    helped = [
        (max(_share(asked, name, amount) for name, amount in lacks.items()), node, lacks) for node, lacks in lacking
    ]
    for share, node, lacks in sorted(helped, key=lambda one: one[:2])[:1]:
        needs = " and ".join(f"{amount_words(name, amount)} more {_called(name)}" for name, amount in lacks.items())
        if beyond := _beyond(subject, node, asked):
            words = f"Ask for less, or add a larger node: even empty, {node} has {beyond} too little."
        elif share < 1:
            words = f"{node} needs only {needs} free: make room there, or ask for less."
        else:
            words = f"Make room, or add a node: {node}, which comes closest, would need {needs} free."
        yield Help(words, _ask_for(subject, {name: _whole(name, amount) for name, amount in lacks.items()}))


def _beyond(subject: Subject, node: str, asked: dict[str, Decimal]) -> str:
    """By how much the whole node is too small, so that no room made there would do; empty if it is not."""
    found = subject.client.find(NODES, "", node)
    has = _amounts(found["status"].get("allocatable")) if found else {}
    over = {name: amount - has[name] for name, amount in asked.items() if amount > has.get(name, amount)}
    units = {name: int(amount * 1000) if name == "cpu" else amount for name, amount in over.items()}
    return " and ".join(f"{amount_words(name, amount)} {_called(name)}" for name, amount in units.items())


def _tolerate(subject: Subject, found: Found) -> Iterator[Help]:
    for item, objection in found:
        tainted = objection.kind == objections.TAINT and objection.what != CONTROL_PLANE
        if tainted and _may_go(subject, item["node"]):
            taint = f"{objection.what}={objection.value}" if objection.value else objection.what
            words = (
                f"Give it a toleration of the taint {taint} (spec.tolerations), or take the taint off {item['node']}."
            )
            yield Help(words, kubectl("taint", "node", item["node"], f"{objection.what}-"))


def _label(subject: Subject, found: Found) -> Iterator[Help]:
    wanted = [f"{key}={value}" for key, value in sorted((subject.obj["spec"].get("nodeSelector") or {}).items())]
    for item, objection in found:
        if objection.kind == objections.LABELS and wanted:
            words = f"Give {item['node']} the label {', '.join(wanted)}, or have it ask for another."
            yield Help(words, kubectl("label", "node", item["node"], *wanted))


def _words(why: dict) -> Iterator[Help]:
    """Where no command does it."""
    kinds = {Objection.of(reason).kind for reason in why["counts"]}
    advice = {
        objections.CLAIM: "Look at its claim (PersistentVolumeClaim), which has to be there and bound first.",
        objections.LABELS: "Add a node that its node affinity matches, or have it ask for less.",
        objections.ROOM: "Make room, or add a node.",
        objections.FULL: "Remove pods, or add a node.",
        objections.PORTS: "Add a node, or ask for no host port.",
        objections.VOLUME: "Add a node where its volume is, or give it another volume.",
        objections.SPREAD: "Add a node in another domain, or let the spread be less even (maxSkew).",
        objections.APART: "Add a node, or ask for no distance (podAntiAffinity).",
        objections.COMPANY: "Run the pods first that it wants to be near.",
    }
    yield from (Help(words) for kind, words in advice.items() if kind in kinds)
    if not why["counts"] or any(CONTROL_PLANE in reason for reason in why["counts"]):
        yield Help("Add a node.")


def _amounts(listed: dict | None) -> dict[str, Decimal]:
    return {name: parse_quantity(amount) for name, amount in (listed or {}).items()}


def _whole(name: str, amount: int) -> Decimal:
    return Decimal(amount) / 1000 if name == "cpu" else Decimal(amount)


def _share(asked: dict[str, Decimal], name: str, amount: int) -> Decimal:
    """How much of what is asked for is lacking."""
    return _whole(name, amount) / asked[name] if asked.get(name) else Decimal(1)


def _called(name: str) -> str:
    return objections.RESOURCES.get(name, name)


def amount_words(name: str, amount: int | Decimal) -> str:
    """`250m` of a core, `1.5` cores, `64Mi`, `1`: never less than that, and as kubectl takes it."""
    if name == "memory" and amount >= MIB:
        return f"{-(-int(amount) // MIB)}Mi"
    if name == "cpu":
        return f"{amount}m" if amount < 1000 else f"{amount / 1000:f}".rstrip("0").rstrip(".")
    return str(amount)


def _ask_for(subject: Subject, less: dict[str, Decimal]) -> str:
    """The command that has it ask for so much `less`; empty where there is none: of a pod that nobody would make again,
    or where no container asks for that much. Of several, the one that asks for most is told to."""
    owner, containers = _template(subject), subject.obj["spec"]["containers"]
    asking = {one["name"]: _amounts((one.get("resources") or {}).get("requests")) for one in containers}
    able = [name for name, asks in asking.items() if all(asks.get(what, 0) > amount for what, amount in less.items())]
    if owner is None or not able:
        return ""
    most = max(able, key=lambda name: [asking[name][what] for what in less])
    rest = {what: asking[most][what] - amount for what, amount in less.items()}
    asked = [
        f"{name}={amount_words('cpu', int(amount * 1000)) if name == 'cpu' else _down(amount)}"
        for name, amount in rest.items()
    ]
    which = ["-c", most] if len(containers) > 1 else []
    requests = f"--requests={','.join(asked)}"
    return kubectl("set", "resources", owner, *which, requests, namespace=subject.namespace)


def _down(amount: Decimal) -> str:
    return f"{int(amount) // MIB}Mi" if amount >= MIB else str(int(amount))


def _template(subject: Subject) -> str | None:
    """`deployment/web`: whose template it is made from, at the top of its owners; in a circle there is no top."""
    obj, found = subject.obj, None
    met: set[str] = set()
    while (owner := controller_of(obj)) and (kind := BY_GVK.get((owner["apiVersion"], owner["kind"]))):
        above = subject.client.find(kind, subject.namespace, owner["name"])
        if above is None:
            break
        obj, found = above, f"{kind.singular}/{owner['name']}"
        if found in met:
            return None
        met.add(found)
    return found
