"""HAProxy as an engine: a child process with a configuration of ours, changed while it runs over its Runtime API.

It is started anew (and the old process left to finish what it has) only when listeners, Services or hosts change.
"""
