"""An engine for machines that have none: a pod's containers are local processes, of the lab's own demo programs only.

May start, signal and end processes, each in a session of its own. Must never pretend to isolate: they run as the
user who started the lab, see its files and each other, and have no limit of CPU. See `runtime.py` for what is what.
"""
