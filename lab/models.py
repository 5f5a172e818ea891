"""The lab's tables. The revision log is the only truth; everything else here is bookkeeping around it."""

from django.db import models


class Cluster(models.Model):
    """A cluster, and the head of its log. Its row is the lock under which revisions are given out, in order."""

    name = models.CharField(max_length=63, unique=True)
    uid = models.CharField(max_length=36)
    revision = models.BigIntegerField(default=0, help_text="the newest revision of the log")
    compacted = models.BigIntegerField(default=0, help_text="the oldest revision that can still be watched from")
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Revision(models.Model):
    """One write. The current state of a key is its newest row; a deletion is a row too, with the last object.

    `author` says who wrote it (kubectl, scheduler, deployment-controller …), `cause` on which revision they were
    acting (0: a person or a clock), and `why` holds the decision itself as data, where there was one to make.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="log")
    revision = models.BigIntegerField()
    resource = models.CharField(max_length=63, help_text="pods, deployments.apps …")
    namespace = models.CharField(max_length=63, blank=True)
    name = models.CharField(max_length=253)
    object = models.BinaryField(help_text="JSON, without its resourceVersion")
    created = models.BooleanField(default=False)
    deleted = models.BooleanField(default=False)
    previous = models.BigIntegerField(default=0, help_text="the revision of this key before; 0 if it is new")
    time = models.FloatField(help_text="seconds since the epoch")
    author = models.CharField(max_length=63)
    cause = models.BigIntegerField(default=0)
    why = models.BinaryField(null=True, help_text="JSON: the decision that led to this write")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "revision"], name="one_row_a_revision"),
            # Compare-and-swap, last line of defence: two writes cannot both follow the same revision of a key.
            models.UniqueConstraint(
                fields=["cluster", "resource", "namespace", "name", "previous"],
                condition=models.Q(previous__gt=0),
                name="one_successor_a_revision",
            ),
        ]
        indexes = [
            # The newest row of each key, and whether that is its end, without a look at the rows themselves.
            models.Index(
                fields=["cluster", "resource", "namespace", "name", "-revision", "deleted"], name="newest_of_key"
            ),
            # What came of a revision, without reading all that came after it. Heartbeats and the like have no cause.
            models.Index(fields=["cluster", "cause", "revision"], condition=models.Q(cause__gt=0), name="of_cause"),
        ]

    def __str__(self) -> str:
        return f"{self.revision} {self.resource} {self.namespace}/{self.name}"


class Cursor(models.Model):
    """How far a reader has read a log, and who holds that reading just now, so that no two workers do it at once.

    `name` is `<cluster's uid>/<controller>`, or `kubelet/<engine>` for a kubelet, which holds but does not read.
    """

    name = models.CharField(max_length=127, unique=True)
    revision = models.BigIntegerField(default=0)
    holder = models.CharField(max_length=63, blank=True)
    held_since = models.FloatField(default=0, help_text="seconds since the epoch")
    expires = models.FloatField(default=0, help_text="seconds since the epoch")

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}"


class Requeue(models.Model):
    """A key that a controller wants to see again later: after an error, or because time itself is an input."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE)
    controller = models.CharField(max_length=63)
    key = models.CharField(max_length=317)
    due = models.FloatField(help_text="seconds since the epoch")
    queued = models.FloatField(help_text="seconds since the epoch; a clock before it has stepped back")
    failures = models.IntegerField(default=0)
    error = models.CharField(max_length=1000, blank=True, help_text="with what it failed last")
    cause = models.BigIntegerField(default=0, help_text="the revision that it is still due to; 0: its time comes")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "controller", "key"], name="one_requeue_a_key")]

    def __str__(self) -> str:
        return f"{self.controller} {self.key}"
