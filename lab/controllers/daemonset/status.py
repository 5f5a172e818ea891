"""What a DaemonSet says of itself. Pure."""

from ..pods import is_ready
from .plan import Look


def next_status(look: Look, collisions: int) -> dict:
    """The status: of each node that shall have a daemon, what its oldest one is."""
    found, wanted = look.by_node(), look.wanted
    oldest = [found[name][0] for name in wanted if name in found]
    ready = [pod for pod in oldest if is_ready(pod)]
    available = sum(map(look.is_available, ready))
    counts = {
        "observedGeneration": look.ds["metadata"].get("generation", 0),
        "updatedNumberScheduled": sum(map(look.is_new, oldest)),
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
        "collisionCount": collisions,
    }
    return {
        "currentNumberScheduled": len(oldest),
        "numberMisscheduled": sum(name in found and not shall for name, (shall, _) in look.fitting.items()),
        "desiredNumberScheduled": len(wanted),
        "numberReady": len(ready),
        **{name: count for name, count in counts.items() if count},
    }
