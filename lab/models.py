"""The lab's tables. The revision log is the only truth; everything else here is bookkeeping around it."""

from django.db import models

OUR_IMAGES = "orrery/* mine/*"


class Cluster(models.Model):
    """A cluster, and the head of its log. Its row is the lock under which revisions are given out, in order."""

    name = models.CharField(max_length=63, unique=True)
    uid = models.CharField(max_length=36)
    revision = models.BigIntegerField(default=0, help_text="the newest revision of the log")
    compacted = models.BigIntegerField(default=0, help_text="the oldest revision that can still be watched from")
    guard = models.TextField(
        blank=True,
        default="",
        help_text="of a stranger's: what `admission/guard.py` holds it to; else nobody holds it to anything",
    )
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class DeletedCluster(models.Model):
    """A cluster that somebody has deleted: what it left behind on engines goes. Of one that is only not there, because
    the database is new or another, it stays."""

    name = models.CharField(max_length=63, unique=True)

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
    `turn` counts how often it was given back or moved: who has read it since may take it without another look.
    """

    name = models.CharField(max_length=127, unique=True)
    revision = models.BigIntegerField(default=0)
    holder = models.CharField(max_length=63, blank=True)
    held_since = models.FloatField(default=0, help_text="seconds since the epoch")
    expires = models.FloatField(default=0, help_text="seconds since the epoch")
    turn = models.BigIntegerField(default=0)

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


class Workshop(models.Model):
    """A class: who has its code may join it, and gets a cluster of their own."""

    code = models.CharField(max_length=6, unique=True, help_text="what learners type")
    title = models.CharField(max_length=80)
    lessons = models.JSONField(default=list, help_text="the ids of its lessons, in their order")
    images = models.TextField(default=OUR_IMAGES, help_text="that may run in its learners' clusters, as patterns")
    pods = models.PositiveSmallIntegerField(default=100, help_text="the most in a learner's cluster")
    seats = models.PositiveSmallIntegerField(default=30, help_text="the most learners that it takes")
    is_open = models.BooleanField(default=True, help_text="whether somebody may still join")
    made = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=150, help_text="the account of who made it; a lab without a room has no accounts")
    said = models.CharField(max_length=280, blank=True, help_text="what stands in the pages of all its learners")
    lesson = models.CharField(max_length=63, blank=True, help_text="the id of the one that the class is in, if any")
    step = models.CharField(max_length=63, blank=True, help_text="the id of the step where the class is")
    rehearsal = models.JSONField(default=dict, help_text="what came of the last one, as `workshops.rehearsal` keeps it")
    held = models.BooleanField(default=False, help_text="whether nobody may go past that step")
    led = models.BooleanField(default=False, help_text="whether learners' pages go where the class is")
    slide = models.CharField(
        max_length=80,
        blank=True,
        help_text="`<lesson>/<number>` of what who is led is shown; else they are at the step",
    )
    paused = models.BooleanField(default=False, help_text="whether learners may look and not act")
    stopped = models.DateTimeField(null=True, help_text="since when it stands still, because it pauses or is over")
    stood = models.JSONField(default=list, help_text="when it did before, as `workshops.stops` keeps it")
    minutes = models.PositiveSmallIntegerField(
        null=True, help_text="how many it is meant to last from its beginning, if somebody has said so"
    )
    ends = models.DateTimeField(null=True, help_text="until when it is meant to last, if somebody has said so")
    over = models.DateTimeField(null=True, help_text="since when it is")
    goes = models.BooleanField(default=False, help_text="whether its clusters go when it is over; else they sleep")
    waits = models.BooleanField(default=False, help_text="whether who joins waits until the class is begun")
    begun = models.DateTimeField(null=True, help_text="since when it is, if anybody had to wait")
    groups = models.PositiveSmallIntegerField(default=1, help_text="into how many its learners are divided")
    forget = models.DateField(help_text="the day on which names and all that learners did are deleted")

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def guard(self) -> str:
        """What its learners' clusters are held to."""
        return f"{self.images} pods={self.pods}"

    @property
    def is_waiting(self) -> bool:
        """Whether its learners have to wait still until it is begun."""
        return self.waits and self.begun is None and self.over is None


class Seat(models.Model):
    """A learner in a workshop. What they have done is in their cluster's log; here is what lets them in."""

    workshop = models.ForeignKey(Workshop, on_delete=models.CASCADE, related_name="taken")
    nickname = models.CharField(max_length=40)
    key = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token that their browser keeps")
    cluster = models.CharField(max_length=63, unique=True)
    joined = models.DateTimeField(auto_now_add=True)
    hand = models.DateTimeField(null=True, help_text="since when they ask for help")
    kept = models.JSONField(
        default=dict, help_text="their Lessons by name, of a cluster that has gone when it was over"
    )
    alone = models.BooleanField(default=False, help_text="whether they go on by themselves while the class is led")
    group = models.CharField(max_length=1, default="A", help_text="the letter of theirs")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workshop", "nickname"], name="one_nickname_a_workshop")]

    def __str__(self) -> str:
        return f"{self.nickname} in {self.workshop.code}"


class Role(models.Model):
    """What an account is in a workshop, beside whoever made it."""

    workshop = models.ForeignKey(Workshop, on_delete=models.CASCADE, related_name="roles")
    account = models.CharField(max_length=150, help_text="its name; a lab without a room has no accounts to point to")
    role = models.CharField(max_length=10, help_text="one of `workshops.roles`")
    groups = models.CharField(max_length=8, blank=True, help_text="the letters of those that an assistant helps")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workshop", "account"], name="one_role_a_workshop")]

    def __str__(self) -> str:
        return f"{self.account}: {self.role} in {self.workshop.code}"


class Drill(models.Model):
    """A fault that came to all clusters of a workshop at once. What became of it stands in their logs."""

    workshop = models.ForeignKey(Workshop, on_delete=models.CASCADE, related_name="drills")
    fault = models.CharField(max_length=20, help_text="its name among the drills' faults")
    began = models.DateTimeField(auto_now_add=True)
    struck = models.JSONField(
        default=dict, help_text="cluster → revision and time from which it counts, or why it failed"
    )

    def __str__(self) -> str:
        return f"{self.fault} in {self.workshop.code}"


class Poll(models.Model):
    """A question to a whole class: the one that a step asks before one acts."""

    workshop = models.ForeignKey(Workshop, on_delete=models.CASCADE, related_name="polls")
    lesson = models.CharField(max_length=63)
    step = models.CharField(max_length=63)
    round = models.PositiveSmallIntegerField(default=1, help_text="2: asked again, after they have talked")
    began = models.DateTimeField(auto_now_add=True)
    ended = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.lesson}/{self.step} in {self.workshop.code}"


class Vote(models.Model):
    """What a learner has said in one of the two rounds."""

    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="votes")
    seat = models.ForeignKey(Seat, on_delete=models.CASCADE)
    round = models.PositiveSmallIntegerField()
    answer = models.CharField(max_length=63, help_text="its id among the question's")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["poll", "seat", "round"], name="one_vote_a_round")]

    def __str__(self) -> str:
        return f"{self.answer} in round {self.round} of {self.poll}"


class Question(models.Model):
    """What a learner asks before the whole class."""

    workshop = models.ForeignKey(Workshop, on_delete=models.CASCADE, related_name="questions")
    seat = models.ForeignKey(Seat, on_delete=models.CASCADE, help_text="who asks; no other learner is told")
    text = models.CharField(max_length=300)
    asked = models.DateTimeField(auto_now_add=True)
    answer = models.CharField(max_length=500, blank=True, help_text="in words; it may have been given aloud")
    answered = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.text} in {self.workshop.code}"


class Upvote(models.Model):
    """A learner who wants to know it too."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="upvotes")
    seat = models.ForeignKey(Seat, on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["question", "seat"], name="one_upvote_a_learner")]

    def __str__(self) -> str:
        return f"{self.seat} for {self.question}"


class Help(models.Model):
    """An instructor beside a learner: asked for, accepted, and seen by both as long as there is this row."""

    seat = models.OneToOneField(Seat, on_delete=models.CASCADE)
    by = models.CharField(max_length=150, help_text="the account of the instructor")
    state = models.CharField(max_length=10, help_text="a state of `workshops.helping`")
    spot = models.CharField(max_length=330, blank=True, help_text="the row's id of what was pointed at last")
    pointed = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.by} beside {self.seat}: {self.state}"
