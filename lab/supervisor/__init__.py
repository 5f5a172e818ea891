"""What systemd is to a Kubernetes machine: it starts the lab's processes, restarts them, stops them.

May start programs, write their logs and the file that says what runs. Must never import Django, nor any other room:
it lives beside them in one small process, and a fault of theirs must not be one of its own.
"""
