"""Who asks for what, and how: what every verb of the registry is told."""

from dataclasses import dataclass, field

from lab.apimachinery.errors import ApiError
from lab.store import Fence, UnknownCluster, View, view

from .access.user import User
from .controlplane import check_up


@dataclass
class Request:
    """One call. `author` and `cause` go into the log; `warnings` collects what the answer should warn of.

    `field_validation`: Strict, Warn or Ignore for bodies from outside; empty for the lab's own components, whose
    objects are not checked against the schema again. `doubled`: what that body gives twice, in words.
    `outside`: it came over HTTP, and needs an API server that is up.
    `user`: on whose behalf, where that is not the lab itself: what they may not give, they may not write into a role.
    `hardware`: it is a hand on a machine's power switch or cable, which needs none.
    """

    cluster: str
    author: str
    cause: int = 0
    dry_run: bool = False
    field_validation: str = ""
    doubled: list[str] = field(default_factory=list)
    manager: str = ""
    fence: Fence | None = None
    outside: bool = False
    hardware: bool = False
    user: User | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def is_clients(self) -> bool:
        """Whether somebody wrote the body by hand or by a program of theirs, and not one of the lab's own parts."""
        return self.outside or bool(self.field_validation)

    def view(self) -> View:
        """The cluster's state, up to date. Raises ApiError 404 for an unknown cluster, 503 from `outside` if it is
        without control plane."""
        try:
            found = view(self.cluster)
        except UnknownCluster:
            message = f'there is no cluster "{self.cluster}"; `manage.py status` lists those that are'
            details = {"name": self.cluster, "kind": "clusters"}
            raise ApiError(404, "NotFound", message, details) from None
        if self.outside:
            check_up(found)
        return found
