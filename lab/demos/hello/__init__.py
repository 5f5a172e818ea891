"""`orrery/hello`: a web server that says who it is. The image is this folder and a Python interpreter.

May read its environment and answer on one port. Must stay one file that starts in a few hundredths of a second.
"""
