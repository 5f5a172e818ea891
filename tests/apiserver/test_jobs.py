"""Jobs and CronJobs as the API keeps them: what it fills in, and what it refuses."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import CRONJOBS, JOBS
from lab.client import Client
from lab.client.clusters import ensure_cluster

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    ensure_cluster("working")
    return Client("working", "test")


def template(policy: str | None = "Never") -> dict:
    spec = {"containers": [{"name": "work", "image": "busybox"}]}
    return {"spec": spec | ({"restartPolicy": policy} if policy else {})}


def job(name: str = "work", **spec) -> dict:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"template": template(), **spec}}


def cronjob(name: str = "tick", **spec) -> dict:
    full = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template()}}, **spec}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": full}


def refusal(client: Client, kind, obj: dict) -> str:
    with pytest.raises(ApiError) as refused:
        client.create(kind, obj)
    assert refused.value.code == 422
    return refused.value.message


def test_a_job_gets_its_defaults_and_a_selector_of_its_own(client):
    made = client.create(JOBS, job())
    uid, spec = made["metadata"]["uid"], made["spec"]
    expected = {
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "completions": 1,
        "manualSelector": False,
        "parallelism": 1,
        "podReplacementPolicy": "TerminatingOrFailed",
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}},
        "suspend": False,
    }
    assert spec == expected | {"template": spec["template"]}
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": "work",
        "controller-uid": uid,
        "job-name": "work",
    }
    assert spec["template"]["metadata"]["labels"] == labels == made["metadata"]["labels"]
    assert made["metadata"]["generation"] == 1


def test_what_follows_from_other_fields_is_filled_in_so(client):
    assert "completions" not in client.create(JOBS, job("queue", parallelism=3))["spec"]
    indexed = {"completionMode": "Indexed", "completions": 2}
    assert client.create(JOBS, job("index", **indexed, backoffLimitPerIndex=1))["spec"]["backoffLimit"] == 2**31 - 1
    policy = {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}
    spec = client.create(JOBS, job("policy", podFailurePolicy=policy))["spec"]
    assert spec["podReplacementPolicy"] == "Failed"
    assert spec["podFailurePolicy"]["rules"][0]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]


CODES = {"operator": "In", "values": [1]}
COUNT = {"rules": [{"action": "Count", "onExitCodes": CODES}]}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"template": template(None)}, 'spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'),
        ({"parallelism": -1}, "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"),
        ({"completionMode": "Indexed", "parallelism": 1}, "spec.completions: Required value: when completion mode"),
        ({"backoffLimitPerIndex": 1}, "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"),
        (
            {"completionMode": "Indexed", "completions": 2, "maxFailedIndexes": 1},
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        ),
        ({"selector": {"matchLabels": {"app": "x"}}}, "spec.selector: Invalid value"),
        (
            {"manualSelector": True, "selector": {"matchLabels": {"app": "x"}}},
            "`selector` does not match template `labels`",
        ),
        ({"manualSelector": True}, "spec.selector: Required value"),
        (
            {"podFailurePolicy": {"rules": [{"action": "FailJob"}]}},
            "specifying one of OnExitCodes and OnPodConditions is required",
        ),
        (
            {"podFailurePolicy": {"rules": [{"action": "FailIndex", "onExitCodes": CODES}]}},
            "requires the backoffLimitPerIndex to be set",
        ),
        (
            {"podFailurePolicy": {"rules": [{"action": "Count", "onExitCodes": CODES | {"values": [0, 2, 1]}}]}},
            "must not be 0 for the In operator",
        ),
        (
            {"template": template("OnFailure"), "podFailurePolicy": COUNT},
            'only "Never" is supported when podFailurePolicy is specified',
        ),
        ({"successPolicy": {"rules": [{"succeededCount": 1}]}}, "requires indexed completion mode"),
        (
            {"completionMode": "Indexed", "completions": 2, "successPolicy": {"rules": [{"succeededIndexes": "1-5"}]}},
            "spec.successPolicy.rules[0].succeededIndexes: Invalid value",
        ),
        ({"podReplacementPolicy": "Never"}, 'supported values: "Failed", "TerminatingOrFailed"'),
    ],
)  # fmt: skip
def test_a_job_that_cannot_work_is_refused(client, spec, words):
    assert words in refusal(client, JOBS, job(**spec))


def test_an_index_must_fit_into_a_host_name(client):
    name = "x" * 62
    indexed = {"completionMode": "Indexed", "completions": 11}
    words = f"will not able to create pod with invalid DNS label: {name}-10"
    assert words in refusal(client, JOBS, job(name, **indexed))


def changed(client: Client, **spec) -> dict:
    return client.patch(JOBS, "default", "work", {"spec": spec})["spec"]


def test_only_what_has_made_no_pods_yet_may_change(client):
    client.create(JOBS, job(completions=3, parallelism=3, completionMode="Indexed"))
    moved = {"spec": {"nodeSelector": {"disk": "fast"}}}
    with pytest.raises(ApiError, match="spec.template: Invalid value"):
        changed(client, template=moved)
    with pytest.raises(ApiError, match="spec.completions: Invalid value: 4: field is immutable"):
        changed(client, completions=4)
    assert changed(client, completions=2, parallelism=2)["completions"] == 2
    assert changed(client, suspend=True, activeDeadlineSeconds=5, backoffLimit=1)["backoffLimit"] == 1
    assert changed(client, template=moved)["template"]["spec"]["nodeSelector"] == {"disk": "fast"}


def test_a_cronjob_gets_its_defaults(client):
    made = client.create(CRONJOBS, cronjob(schedule="@hourly", timeZone="Europe/Berlin"))["spec"]
    assert (
        made.items()
        >= {
            "concurrencyPolicy": "Allow",
            "failedJobsHistoryLimit": 1,
            "successfulJobsHistoryLimit": 3,
            "suspend": False,
        }.items()
    )
    assert "selector" not in made["jobTemplate"]["spec"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"schedule": ""}, "spec.schedule: Required value"),
        ({"schedule": "* * * *"}, 'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4'),
        ({"schedule": "61 * * * *"}, "end of range (61) above maximum (59): 61"),
        ({"schedule": "0 0 0 * *"}, "beginning of range (0) below minimum (1): 0"),
        ({"schedule": "0 9-5 * * *"}, "beginning of range (9) beyond end of range (5): 9-5"),
        ({"schedule": "*/0 * * * *"}, "step of range should be a positive number: */0"),
        ({"schedule": "0 0 * foo *"}, 'failed to parse int from foo: strconv.Atoi: parsing "foo": invalid syntax'),
        ({"schedule": "0 1,2-3-4 * * *"}, "too many hyphens: 2-3-4"),
        ({"schedule": "@often"}, "unrecognized descriptor: @often"),
        ({"schedule": "TZ=UTC * * * * *"}, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
        ({"timeZone": "Mars/Base"}, 'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base'),
        ({"timeZone": ""}, "timeZone must be nil or non-empty string"),
        ({"timeZone": "Local"}, "timeZone must be an explicit time zone"),
        ({"concurrencyPolicy": "Never"}, 'supported values: "Allow", "Forbid", "Replace"'),
        ({"startingDeadlineSeconds": -1}, "must be greater than or equal to 0"),
        ({"jobTemplate": {"spec": {"template": template(None)}}}, "spec.jobTemplate.spec.template.spec.restartPolicy"),
    ],
)
def test_a_cronjob_that_is_never_due_is_refused(client, spec, words):
    assert words in refusal(client, CRONJOBS, cronjob(**spec))


def test_a_cronjobs_name_leaves_room_for_the_minute(client):
    assert "must be no more than 52 characters" in refusal(client, CRONJOBS, cronjob("x" * 53))
