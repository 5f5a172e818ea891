"""The board: what a cluster does, drawn while it does it. Kubernetes has no such part; its Dashboard shows only state.

May read the cluster's view and log through the client, and act through the client as author "board".
Must never draw what did not happen: every row, phase and turn of a wheel is read from the log.
"""
