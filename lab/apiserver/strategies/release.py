"""Release: a new version of a Deployment brought to its visitors by a chosen strategy."""

from .base import Strategy


class ReleaseStrategy(Strategy):
    has_generation = True
