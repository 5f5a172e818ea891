"""NodePool: machines that may be bought when pods find no room."""

from .base import Strategy


class NodePoolStrategy(Strategy):
    has_generation = True
