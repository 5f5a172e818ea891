"""Orrery: a small, real Kubernetes. `lab/README.md` is the map.

Imports nothing: the process engine and the demo programs live below this package and must start light.
"""
