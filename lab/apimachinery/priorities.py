"""The priority classes that every cluster has from its first second. Source: pkg/apis/scheduling/v1/helpers.go."""

SYSTEM_PREFIX = "system-"
HIGHEST = 1_000_000_000  # that anybody else may give a class
SYSTEM = {
    "system-cluster-critical": {
        "value": 2_000_000_000,
        "description": "Used for system critical pods that must run in the cluster, but can be moved to another node if"
        " necessary.",
    },
    "system-node-critical": {
        "value": 2_000_001_000,
        "description": "Used for system critical pods that must not be moved from their current node.",
    },
}
