"""A client that reads what was: whatever is asked of the cluster's state is answered as of one revision."""

import builtins  # `list` is also a verb of the client

from lab.apimachinery.errors import ApiError, not_found
from lab.apimachinery.kinds import Kind
from lab.apiserver.request import Request
from lab.client import Client
from lab.store import Change, View, beginning, history, time_of

from .history import state


class PastClient(Client):
    """`revision` is where it stands. What was decided up to then it knows too; it writes nothing: ApiError 405.

    Made once for a few questions: it has a copy of the whole state. Raises ApiError 410 or 404 as `history.state` does.
    """

    def __init__(self, cluster: str, revision: int):
        super().__init__(cluster, "past")
        self.revision = revision
        self._state = state(self, revision)

    def _request(self) -> Request:
        raise ApiError(405, "MethodNotAllowed", "what was cannot be changed: return to live, and do it there")

    def now(self) -> float:
        return time_of(self.cluster, self.revision) or super().now()

    def view(self) -> View:
        return self._state

    def get(self, kind: Kind, namespace: str, name: str) -> dict:
        found = self.find(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def changes_since(self, revision: int) -> builtins.list[Change] | None:
        return []

    def history(
        self, kind: Kind, namespace: str, name: str, limit: int = 50, decided: bool = False
    ) -> builtins.list[dict]:
        return history(self.cluster, kind.resource, namespace, name, limit, self.revision, decided)

    def beginning(self, kind: Kind, namespace: str, name: str, limit: int = 50) -> builtins.list[dict]:
        return beginning(self.cluster, kind.resource, namespace, name, limit, self.revision)
