"""What Argo Rollouts and Flagger are beside Kubernetes: a new version comes to visitors by steps that can be undone.

May change the Deployment's template and say how many pods of each version it shall have (annotations on it), and what
share of the visitors each version gets (an annotation on the Service). Must never touch a pod, nor talk to the proxy.
Every decision is made of stored objects and of the proxy's counters, so the controller may be killed at any point.
`look` is what is read, `plan`, `strategies`, `ending` and `analysis` are pure decisions, `controller` reads and writes.
"""
