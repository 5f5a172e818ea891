"""A small proxy of our own, for machines without HAProxy: HTTP/1.1 and TCP, by asyncio's protocols.

It behaves as HAProxy is told to: the next server where a connection cannot be opened, a sent request never again.
"""
