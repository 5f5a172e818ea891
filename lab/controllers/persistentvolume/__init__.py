"""Claims and volumes, brought together: Kubernetes' persistent volume controller, the provisioner of our one driver,
and the two controllers that let nothing go that is in use. `binding` decides, `controller` and `protection` act.
"""
