"""How those who run the lab see it from outside: metrics, health. In Kubernetes each component has these.

May read what processes say of themselves (`lab.counters`, `lab.parts`), and ask the database and the broker. Changes
nothing of a cluster, and is nothing to learners: the room's gate leads only those here who teach.
"""
