"""The why cards of a drawer: what `lab.explain.why` answers, laid out, and what the board itself can do about it.

Pure, but for `cards_of`, which asks.
"""

from lab.apimachinery.kinds import Kind
from lab.apiserver.tables.cells import human_duration
from lab.client import Client
from lab.explain import why

from .advice import act_of
from .verdicts import SCORES

MOST_GROUNDS = 8  # of a card: a table of nodes and the thread tell the rest
# Reasons of what is as it should be, or on its way there. Any other may be told in the head of every tab (`telling`).
CALM = frozenset(
    {
        *("Scheduled", "Created", "Ready", "Serving", "ContainerCreating", "PodInitializing", "Completed"),
        *("Complete", "Progressing", "ReleaseInControl", "OnDelete", "Partition", "OnePerNode"),
        *("AsDeclared", "ScaledByHand", "ScaledByAutoscaler", "ScaledByDeployment", "Scaled"),
        *("CompletionsReached", "SuccessPolicy", "WaitingForItsTime", "ExternalName"),
        *("Waiting", "Switched", "Promoted", "Aborted", "Superseded"),
        *("DesiredWithinRange", "ScaleUpStabilized", "ScaleDownStabilized", "ScaleUpLimit", "ScaleDownLimit"),
        "TooFewReplicas",  # idle at its minimum, which is what a minimum is for
        *("Bound", "Available", "ExternalProvisioning", "SufficientPods", "Building", "RollingOut"),
        *("Tainted", "BuyNode", "KeepNode", "FindNodeIdle"),
    }
)


def cards_of(client: Client, kind: Kind, namespace: str, name: str) -> list[dict]:
    """The cards, most telling first: those of `why.of_object`, each with `calm`, `act`, what the table of `verdicts`
    needs, and how long ago each ground was. Raises ApiError 404 for an object of which no row is kept."""
    now = client.now()
    told = why.of_object(client, kind, namespace, name, now)
    return [laid_out(card, now) for card in told["cards"]]


def laid_out(card: dict, now: float) -> dict:
    """`now`: in epoch seconds."""
    grounds = [{**one, "ago": human_duration(max(0.0, now - one["time"]))} for one in card["because"]]
    plugins = sorted({plugin for item in card["verdicts"] for plugin in item["scores"]})
    return {
        **card,
        "calm": card["reason"] in CALM,
        "because": grounds[:MOST_GROUNDS],
        "more": max(0, len(grounds) - MOST_GROUNDS),
        "act": act_of(card["help"]["command"]) if card["help"] else None,
        "plugins": [(plugin, SCORES.get(plugin, plugin)) for plugin in plugins],
        "verdicts": [
            {**item, "points": [item["scores"].get(plugin) for plugin in plugins]} for item in card["verdicts"]
        ],
    }


def telling(cards: list[dict], state: str) -> str:
    """What the head of every tab says of it; empty where all is as it should be. Of what is in the `state` ready only
    what something would change: a node that was silent once, and is back, opens as any other."""
    first = cards[0] if cards else None
    return first["answer"] if first and not first["calm"] and (first["help"] or state != "ready") else ""
