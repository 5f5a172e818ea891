"""The Job controller: so many pods that end well. Pure parts (tally, failures, verdict, plan) and one that acts.

Kubernetes' own counts in two steps, since a status and a pod cannot be written at once there: it notes the pod's uid in
the status (`uncountedTerminatedPods`), takes the finalizer from the pod, then counts. Here the count and all the
finalizers that it stands for are one transaction: a pod that carries the finalizer has not been counted, one that does
not has been, at every moment and whoever dies.
"""
