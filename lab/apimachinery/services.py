"""What every part asks of a Service. Pure."""

HEADLESS = "None"
OUTWARD = ("LoadBalancer", "NodePort")  # the types that have ports of the nodes
AFFINITY_SECONDS = 10800  # Kubernetes' default: three hours


def has_address(service: dict) -> bool:
    """Whether it has one of its own, or is only a name for the addresses of its pods, or for another name."""
    return service["spec"].get("clusterIP") not in (None, "", HEADLESS)


def is_headless(service: dict) -> bool:
    return service["spec"].get("clusterIP") == HEADLESS
