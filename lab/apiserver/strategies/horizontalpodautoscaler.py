"""HorizontalPodAutoscaler: how many replicas of a workload there shall be, by what is measured."""

from .base import Strategy


class HorizontalPodAutoscalerStrategy(Strategy):
    has_generation = True
