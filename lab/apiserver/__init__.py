"""What kube-apiserver is to Kubernetes: the one door to the cluster's state, for people, programs and components alike.

May read and append to the store, and is the only room that writes. Must never decide what the cluster should do
next: it defaults, checks, versions and remembers, and says so in Kubernetes' own words.
"""
