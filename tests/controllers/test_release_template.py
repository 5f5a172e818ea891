"""A release's template patch means what the API server makes of it, however it is written."""

import pytest

from lab.apimachinery.kinds import DEPLOYMENTS

from .releasing import CANARY, Releasing

pytestmark = pytest.mark.django_db
WRITTEN = {"cpu": "0.5", "memory": "1024Mi"}
STORED = {"cpu": "500m", "memory": "1Gi"}


def asking(web: Releasing, amounts: dict) -> dict:
    name = web.client.get(DEPLOYMENTS, "default", "web")["spec"]["template"]["spec"]["containers"][0]["name"]
    return {"spec": {"containers": [{"name": name, "resources": {"requests": amounts}}]}}


def test_a_release_does_not_take_its_own_template_for_somebody_elses():
    web = Releasing(4)
    web.begin(CANARY, template=asking(web, WRITTEN))
    web.run_all()
    assert web.phase() == "Paused", web.status()["message"]
    template = web.client.get(DEPLOYMENTS, "default", "web")["spec"]["template"]
    assert template["spec"]["containers"][0]["resources"]["requests"] == STORED
    web.say(verdict="Promote")
    web.carry_on()
    assert web.phase() == "Promoted"
    web.begin(CANARY, name="again", template=asking(web, WRITTEN))
    assert web.status("again")["message"] == "The Deployment runs this version already."


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ({"spec": {"tolerations": ["a"]}}, "cannot unmarshal string into Go struct field"),
        ({"metadata": "a"}, "cannot unmarshal string into Go struct field"),
        ({"spec": {"hostName": "a"}}, 'unknown field "spec.template.spec.hostName"'),
    ],
)
def test_a_release_whose_template_is_none_has_failed_and_says_why(template: dict, why: str):
    web = Releasing(4)
    before = web.client.get(DEPLOYMENTS, "default", "web")["spec"]["template"]
    web.begin(CANARY, template=template)
    web.run_all()
    assert web.phase() == "Failed"
    assert web.status()["message"].startswith("spec.template does not fit the Deployment: ")
    assert why in web.status()["message"]
    assert web.client.get(DEPLOYMENTS, "default", "web")["spec"]["template"] == before
