"""What is written on everything that the lab makes on an engine. Two labs on one engine differ in `LAB` and `MAKER`."""

LAB = "orrery.io/lab"
CLUSTER = "orrery.io/cluster"
NODE = "orrery.io/node"
NAMESPACE = "orrery.io/namespace"
POD = "orrery.io/pod"
UID = "orrery.io/uid"
ADDRESS = "orrery.io/address"
VOLUME = "orrery.io/volume"
SANDBOX = "orrery.io/sandbox"  # on containers: the id of the pause container whose namespaces they joined
CONTAINER = "orrery.io/container"
ATTEMPT = "orrery.io/attempt"
KIND = "orrery.io/kind"  # "sandbox" | "container" | "init" | "gateway" | "link"
# On images, whose labels every container made of them inherits: so not LAB, or one started by hand would count as ours.
MAKER = "orrery.io/made-by"  # the id of the lab
CONTENT = "orrery.io/content"  # a digest of what went into them
OWNER = "orrery.io/built-for"  # the cluster of the stranger who had it built; empty on the owner's of the lab


def pods_of(lab_id: str) -> dict[str, list[str]]:
    """The engine's filter for the containers of pods: not everything that this lab made is one."""
    return {"label": [f"{LAB}={lab_id}", UID]}


def filter_of(lab_id: str, **more: str) -> dict[str, list[str]]:
    """The engine's filter for what this lab made: `filter_of(lab, sandbox=id)`."""
    names = {key: globals()[key.upper()] for key in more}
    return {"label": [f"{LAB}={lab_id}", *(f"{names[key]}={value}" for key, value in more.items())]}
