"""Guided tutorials: lessons against the running cluster. Predict, act, observe, explain, check.

A lesson is a folder of Markdown and YAML (`lessons/`), which `reading` makes a `lesson.Lesson` of. Where a learner is
in it is an object of their cluster, a Lesson (`kubectl get lessons`); the tutor, who lives in the worker, sets the
stage of a step and judges its checks, and the page shows what that object says.
"""
