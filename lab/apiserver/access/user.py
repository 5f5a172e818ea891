"""A user, as every part of an API server that asks who is there knows one: Kubernetes' user.Info."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MASTERS = "system:masters"  # who is in it may do everything, whatever roles there are
AUTHENTICATED = "system:authenticated"
ANONYMOUS, UNAUTHENTICATED = "system:anonymous", "system:unauthenticated"
ACCOUNT_PREFIX = "system:serviceaccount:"
ACCOUNTS = "system:serviceaccounts"


@dataclass(frozen=True)
class User:
    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def is_master(self) -> bool:
        return MASTERS in self.groups

    def as_info(self) -> dict:
        """The UserInfo of a review."""
        info = {"username": self.name, "uid": self.uid, "groups": list(self.groups), "extra": dict(self.extra)}
        return {name: value for name, value in info.items() if value}


# Whoever reaches the plain port on the loopback is the machine's own user, whose lab it is.
LOOPBACK = User("kubernetes-admin", (MASTERS, AUTHENTICATED))


def account_name(namespace: str, name: str) -> str:
    """The user's name of a ServiceAccount."""
    return f"{ACCOUNT_PREFIX}{namespace}:{name}"


def account_groups(namespace: str) -> tuple[str, ...]:
    return (ACCOUNTS, f"{ACCOUNTS}:{namespace}")
