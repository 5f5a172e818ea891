"""What the kubelet is to Kubernetes: the agent that makes what runs on a node be what its pods' specs say.

May open the runtime, and read and write the API through the client. Must never choose a node, create a pod, or call
an engine within a database transaction: it only converges containers on pods that are bound, and reports what it sees.
"""
