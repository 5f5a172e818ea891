"""The StatefulSet controller: pods that are no two alike. Each has a number, and with it a name, an address and volumes
that it keeps for life and beyond; they come in order and go in reverse.

May create and delete pods and create their claims. Must never delete a claim: data outlives whoever wrote it, unless
the set's author has said otherwise, and then it is the garbage collector's to find.
`identity` and `plan` are pure decisions; `controller` reads, asks them, and writes.
"""
