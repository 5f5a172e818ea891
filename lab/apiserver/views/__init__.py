"""The Kubernetes REST API over HTTP, at `/clusters/<cluster>/…`.

May read requests, call the registry's verbs and word the answers. Must never decide what an object may be: that is
the registry's, so that a write over HTTP and one from within the lab are the same write.
"""
