"""The names of Services, as cluster DNS knows them. Pure."""

from dataclasses import dataclass, field

from .plan import Plan

ALIASES_MOST = 8  # one may lead to the next
REVERSE = ".in-addr.arpa"


@dataclass(frozen=True)
class Found:
    """`aliases`: the names that lead to the last of them; `outside`: that one is for others to say. `services`: of a
    `_port._protocol` name, ports and the names that have them; `pointers`: the names that an address has."""

    aliases: tuple[tuple[str, str], ...] = ()
    addresses: tuple[str, ...] = ()
    services: tuple[tuple[int, str], ...] = ()
    pointers: tuple[str, ...] = ()
    outside: str = ""


@dataclass
class Names:
    """One cluster's, or where there is no asking which cluster, all of them."""

    plan: Plan = field(default_factory=Plan)

    def look_up(self, name: str, scopes: list[str] | None = None) -> Found | None:
        """None: it is in our domain and does not exist. `name` in full, without the dot at its end."""
        name = name.lower()
        aliases: list[tuple[str, str]] = []
        scopes = list(self.plan.names) if scopes is None else scopes
        for _ in range(ALIASES_MOST):
            for scope in scopes:
                if name in self.plan.names[scope]:
                    return Found(tuple(aliases), tuple(self.plan.names[scope][name]))
                if name in self.plan.services[scope]:
                    return Found(tuple(aliases), services=tuple(self.plan.services[scope][name]))
            other = next((self.plan.aliases[s][name] for s in scopes if name in self.plan.aliases[s]), None)
            if other is None:
                break
            aliases.append((name, other))
            name = other
        if any(name == domain or name.endswith("." + domain) for domain in self._domains(scopes)):
            # The domain itself and what lies above a name exist, though nothing stands there.
            above = any(known.endswith("." + name) for scope in scopes for known in self.plan.names[scope])
            return Found(tuple(aliases)) if above or aliases else None
        if name.endswith(REVERSE) and (pointers := self._names_of(name.removesuffix(REVERSE), scopes)):
            return Found(tuple(aliases), pointers=pointers)
        return Found(tuple(aliases), outside=name)

    def _names_of(self, reversed_address: str, scopes: list[str]) -> tuple[str, ...]:
        """The names that mean this address alone; of a pod whose Service has no address only its own, not both."""
        alone = [".".join(reversed(reversed_address.split(".")))]
        found = [name for scope in scopes for name, held in self.plan.names[scope].items() if held == alone]
        return tuple(name for name in found if not any(other.endswith("." + name) for other in found))

    def _domains(self, scopes: list[str]) -> set[str]:
        return {self.plan.domains[scope] for scope in scopes}

    def services(self, scope: str) -> set[tuple[str, str]]:
        """(namespace, name) of each."""
        end = f".svc.{self.plan.domains[scope]}"
        known = (*self.plan.names[scope], *self.plan.aliases[scope])
        labels = [name.removesuffix(end).split(".") for name in known if name.endswith(end)]
        return {(found[1], found[0]) for found in labels if len(found) == 2}  # three: a pod with a name of its own

    def is_ours(self, scope: str, name: str) -> bool:
        """Whether nobody outside can have it: a single word, or one that ends as this cluster's Services do."""
        name = name.rstrip(".").lower()
        return scope in self.plan.names and (
            ("." not in name and name != "localhost") or name.endswith((".svc", f".{self.plan.domains[scope]}"))
        )

    def search(self, scope: str, namespace: str, name: str) -> tuple[str, ...] | None:
        """The addresses of a name as a pod of this namespace may say it, short or in full; () if it exists and has
        none. None: it is not ours."""
        if scope not in self.plan.names:
            return None
        domain = self.plan.domains[scope]
        name = name.rstrip(".").lower()
        for suffix in (f".{namespace}.svc.{domain}", f".svc.{domain}", f".{domain}", ""):
            full = name + suffix
            if full in self.plan.names[scope]:
                return tuple(self.plan.names[scope][full])
            if full in self.plan.aliases[scope]:
                found = self.look_up(full, [scope])
                return None if found is None else (found.outside,) if found.outside else found.addresses
        return None
