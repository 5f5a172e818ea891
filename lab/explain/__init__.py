"""Why things are as they are, what led to them, and what was: readings of the log, in words and as JSON.

In Kubernetes nothing corresponds to it: there one puts events, logs and audit records together by hand. Whatever is
said here was recorded by whoever decided, when they decided (`Revision.why`, `cause`, `author`); nothing is guessed
from the state afterwards.
"""
