"""How kubectl is told where a cluster is, and by what it comes in. Pure."""


def kubeconfig(cluster: str, root: str, authority: dict, user: dict) -> dict:
    """One cluster, one user, one context; named so that it can be merged with others."""
    name = f"orrery-{cluster}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"{root}clusters/{cluster}", **authority}}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
    }
