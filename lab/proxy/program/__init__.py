"""The data plane: what kube-proxy, an ingress controller and cluster DNS are to Kubernetes, as one small program.

May listen, balance and answer names as it was last told over its control socket, and goes on so when nobody tells it
anything more. Only the standard library, and nothing of the lab outside this folder: it also runs alone in containers.
"""
