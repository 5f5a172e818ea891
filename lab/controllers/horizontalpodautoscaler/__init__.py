"""The HorizontalPodAutoscaler controller: more pods while they have much to do, fewer when they have not.

Measures come from `metrics`, numbers of pods for each of them from `replicas` and `proposals`, what may be done about
it now from `behavior`; `decision` puts them together. All of that is pure; `controller` reads, asks and writes.
"""
