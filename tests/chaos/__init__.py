"""Chaos: a lab is used and broken at random for a while, and what must always hold is looked at all the way.

    .venv/bin/python -m tests.chaos                                    # 20 minutes on local processes
    .venv/bin/python -m tests.chaos --runtime docker --minutes 20      # on a Docker engine of its own (as root)
    .venv/bin/python -m tests.chaos --postgresql --workers 2           # as a school runs it, and its database crashes
    .venv/bin/python -m tests.chaos --seed 7 --rounds 3                # again what was found

It goes round and round. **Storm**: Deployments, StatefulSets, DaemonSets, Jobs, CronJobs, autoscalers and Services
come, change and go, while pods, nodes and the lab's own processes are killed, stopped, cut off and powered down. Then
every fault is taken away, and the cluster must **settle**. **Calm**: what an operator does every day, without a fault,
and no visitor may notice.

What is done follows from the seed alone (`plan`), never from what was seen: a victim is "the pod at 0.37 of those that
run". So a seed repeats its sequence, though not its timing. `watchers` and `rules` look at every revision, `engineroom`
at the engine, `quiet` compares all of it when nothing moves, and `findings` keeps the list.

Always:
- each watch is told each revision once, in order, across its resumes;
- a pod keeps its address, its node and its end, and no two living pods share an address;
- a set's pod keeps its claim, and a claim its volume;
- each container of a pod runs once, is made once under its number, and of a StatefulSet's pod there is one;
- a Deployment has no more replicas than it was allowed, a DaemonSet one pod a node;
- a Job counts up, and never beyond its completions;
- a CronJob has one Job for each time at most, and none beside another where its policy forbids it.

When quiet:
- the story that each watch was told is the log's, and where it led is what a list says;
- each object is as the last accepted write left it, and every accepted write was told;
- there are as many pods as declared, of the right image, each with its containers, and nothing else;
- an autoscaler's target is as it decided, and within its bounds;
- a CronJob has kept the last minute, and knows which of its Jobs are at work;
- owners exist, and nobody writes any more;
- no visitor's request has failed but in the storm.

At the end nothing is left, neither process nor container.
"""
