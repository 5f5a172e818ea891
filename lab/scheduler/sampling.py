"""How much is looked at: in a large cluster not every node for every pod. Pure."""

EXACT_NODES = 100  # up to so many nodes, each pod is compared with all of them anew


def is_exact(nodes: int) -> bool:
    return nodes <= EXACT_NODES


def enough_nodes(nodes: int) -> int:
    """How many nodes that would do are enough to choose from. Source: numFeasibleNodesToFind: from all 100 down to
    5 % of the largest clusters, but never fewer than 100."""
    if is_exact(nodes):
        return nodes
    return max(EXACT_NODES, nodes * max(50 - nodes // 125, 5) // 100)
