"""What the deployment controller is to Kubernetes: it replaces pods bit by bit, resizing one ReplicaSet against others.

May create, resize and delete ReplicaSets. Must never touch a pod: that is the ReplicaSet controller's.
`rollout`, `revisions` and `status` are pure decisions; `controller` reads, asks them, and writes.
"""
