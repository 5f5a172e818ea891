"""Visitors: people who ask for a page again and again."""

from .base import Strategy


class VisitorsStrategy(Strategy):
    has_generation = True
