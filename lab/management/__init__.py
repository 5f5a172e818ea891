"""What kubeadm is to Kubernetes: the commands of `manage.py` that prepare, describe and take down a lab.

May use every room below it, through its door: the client for objects, the engines for what stands on the machine.
Must never hold a rule of its own about the cluster; nothing may depend on it.
"""
