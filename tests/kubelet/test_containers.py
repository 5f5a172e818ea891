"""What a container is refused for before the engine is asked for it."""

import pytest

from lab.kubelet.containers import container_spec
from lab.kubelet.environment import ConfigError

from .build import container, pod

WHOSE = '(pod: "web_default(0a1b)", container: web)'


def made(image_user: str | None, **security):
    whole = pod([container("web")], securityContext={"runAsNonRoot": True} | security)
    nothing = {"cpu": "4", "memory": "8Gi"}
    (one,) = whole["spec"]["containers"]
    return container_spec(whole, one, 0, False, {}, lambda *_: None, nothing, {}, image_user=image_user)


@pytest.mark.parametrize(
    ("image_user", "security", "words"),
    [
        ("", {}, "container has runAsNonRoot and image will run as root"),
        ("0:1000", {}, "container has runAsNonRoot and image will run as root"),
        (
            "nobody",
            {},
            "container has runAsNonRoot and image has non-numeric user (nobody), cannot verify user is non-root",
        ),
        ("65534", {"runAsUser": 0}, "container's runAsUser breaks non-root policy"),
    ],
)
def test_who_must_not_be_root_is_not_started_as_root(image_user, security, words):
    with pytest.raises(ConfigError) as refused:
        made(image_user, **security)
    assert str(refused.value) == f"{words} {WHOSE}"


@pytest.mark.parametrize(
    ("image_user", "security"),
    [
        ("65534:65534", {}),
        ("", {"runAsUser": 7}),
        ("nobody", {"runAsUser": 7}),
        (None, {}),
        ("", {"runAsNonRoot": False}),
    ],
)
def test_who_is_not_root_or_may_be_is_started(image_user, security):
    assert made(image_user, **security).name == "web"
