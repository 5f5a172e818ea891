"""People who ask for pages: a load generator that one turns up on the board, in a process of its own, and who counts.

`agent` reads the Visitors objects through the client; `program` makes the requests. They share a protocol, no code.
"""
