"""Who asks, and whether they may: authentication, RBAC, and the reviews by which clients ask about both.

May read the cluster's accounts, roles and bindings. Must never write, and knows nothing of the lab's own components:
those call the registry in the process, without a user, and are not asked.
"""
