"""The end of every write: what was planned is appended to the log, or planned again if someone else was faster."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from lab.apimachinery import errors
from lab.apimachinery.kinds import BY_RESOURCE
from lab.store import Conflict, View, Write, append

from .admission.guard import check_room
from .admission.resourcequota import check_quotas
from .controlplane import check_up
from .request import Request

TRIES = 5  # how often the server itself retries a write that named no resourceVersion


def commit(req: Request, attempt: Callable[[], Sequence[Write | dict]], tries: int = TRIES) -> list[dict]:
    """Append what `attempt` plans, planning again if someone else was faster. Returns the objects as stored.

    Raises ApiError, and LostFence where the writer is a controller that another worker has taken over.
    """
    if not req.hardware:
        check_up(req.view())
    for tried in range(tries):
        planned = attempt()
        writes = [item for item in planned if isinstance(item, Write)]
        if req.dry_run:
            _check_room(req.view(), writes)
        if req.dry_run or not writes:
            return [item.object if isinstance(item, Write) else item for item in planned]
        try:
            check = partial(_check_room, writes=writes)
            head = append(req.cluster, writes, req.author, req.cause, req.fence, check)
        except Conflict as lost:
            # The next plan sees the newer object; if the caller named a resourceVersion, it is refused there.
            if tried == tries - 1:
                raise errors.conflict(BY_RESOURCE[lost.write.resource], lost.write.name) from None
        else:
            return _numbered(planned, head - len(writes))
    raise AssertionError("unreachable")


def _check_room(state: View, writes: list[Write]) -> None:
    check_quotas(state, writes)
    check_room(state, writes)


def _numbered(planned: Iterable[Write | dict], revision: int) -> list[dict]:
    stored = []
    for item in planned:
        if isinstance(item, Write):
            revision += 1
            versioned = {**item.object["metadata"], "resourceVersion": str(revision)}
            item = {**item.object, "metadata": versioned}
        stored.append(item)
    return stored
