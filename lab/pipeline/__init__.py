"""From an edited page to pods that show it: build an image, name it, roll it out, watch. Kubernetes leaves it out.

A loop like the controllers', that turns on Builds; and a thread for the build itself, which takes too long for a loop.
May read and write through the client. Must never change a Deployment before there is a whole image to give it.
"""

from .controller import BuildController

BUILDS = BuildController()
__all__ = ["BUILDS"]
