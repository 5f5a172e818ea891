"""What a workload's card shows of others: its release, its autoscaler, the services that lead to it. Pure."""

from collections.abc import Callable

from lab.apimachinery.kinds import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, RELEASES, SERVICES, Kind

from .rows import Row, compact, row_id
from .servicerows import selects
from .steeringrows import behind_words, shown_first


def attached(workload: dict, id_: str, parts_of: Callable[[str, Kind], list[dict]]) -> Row:
    """`parts_of`: what belongs to a row, of one kind. Services are told of deployments only."""
    release, behind = shown_first(parts_of(id_, RELEASES))
    scalers = parts_of(id_, HORIZONTALPODAUTOSCALERS)
    place = f"namespaces/{workload['metadata']['namespace']}" if workload["kind"] == DEPLOYMENTS.kind else ""
    return compact(
        {
            "release": row_id(RELEASES.resource, release) if release else "",
            "behind": behind_words(behind),
            "scaler": row_id(HORIZONTALPODAUTOSCALERS.resource, scalers[0]) if scalers else "",
            "services": sorted(
                row_id(SERVICES.resource, obj) for obj in parts_of(place, SERVICES) if selects(obj, workload)
            ),
        }
    )
