"""What Kubernetes calls apimachinery: the grammar that every object shares, whatever its kind.

Pure: functions from data to data. Must never import Django, Celery, Docker or any other room of the lab.
"""
