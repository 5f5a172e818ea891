"""The load generator: one small process that asks for pages through the front door and counts what comes back.

    python -m lab.visitors.program          (ORRERY_DATA and ORRERY_FRONT_DOOR name its folder and the door)

May use the standard library only, so that it stays small and needs no lab to go on: it follows its last orders while
everything else is down. Must never repeat a request: what failed is counted as failed.
"""
