"""Two ways to the same end: what kubectl works out itself and sends as a patch, and what it leaves to the server."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..apimachinery.test_patch_by_kubectl import by_name, containers, names, tidy, values
from .conftest import deployment
from .test_kubectl import Kubectl

pytestmark = pytest.mark.both_kubectls

AT = "/apis/apps/v1/namespaces/default/deployments"


def wanted(labels: dict[str, str], replicas: int | None, inside: list[dict]) -> dict:
    made = deployment("web")
    made["metadata"]["labels"] = labels
    made["spec"]["template"]["spec"]["containers"] = inside
    made["spec"].pop("replicas")
    return made if replicas is None else {**made, "spec": {**made["spec"], "replicas": replicas}}


configurations = st.builds(
    wanted, st.dictionaries(names, values), st.none() | st.integers(0, 3), by_name(containers, 1)
)


@pytest.fixture
def k(kubectl: str, kubeconfig) -> Kubectl:
    return Kubectl(kubectl, kubeconfig)


def test_an_apply_by_the_server_ends_as_one_by_the_client(k, api):
    @settings(max_examples=8)
    @given(configurations, configurations)
    def same(first: dict, second: dict):
        ends = []
        for where in ((), ("--server-side",)):
            for each in (first, second):
                k.run("apply", *where, "-f", "-", stdin=json.dumps(each))
            end = api.get(f"{AT}/web").json
            ends.append((end["metadata"].get("labels", {}), tidy(end["spec"])))
            api.ask("DELETE", f"{AT}/web")
        assert ends[0] == ends[1]

    same()
