"""A runtime in memory, for thousands of nodes and pods: nothing runs, everything takes time, and faults come by rule.

May keep what it is told and make up what follows from it: delays, deaths, answers to probes, log lines. Must never
pretend to be more: its ids, logs and messages say that they are simulated. See `behaviour.py` for the rules.
"""
