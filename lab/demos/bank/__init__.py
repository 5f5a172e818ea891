"""`orrery/bank`: a small bank, as one program or as a suite of services, from the same files.

The environment says which parts of it a process is (`PART`), and where the others are. An image is this folder and a
Python interpreter. May use Python's standard library; must start in less than a tenth of a second.
"""
