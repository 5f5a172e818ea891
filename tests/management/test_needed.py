"""Which images a cluster still names."""

from lab.management.needed import images_of


def a_pod(image: str, **more) -> dict:
    return {"containers": [{"name": "web", "image": image}], **more}


def test_a_pod_names_those_of_all_its_containers():
    spec = a_pod("mine/web:v1", initContainers=[{"name": "first", "image": "mine/first:v1"}])
    assert set(images_of({"kind": "Pod", "spec": spec})) == {"mine/web:v1", "mine/first:v1"}


def test_a_template_names_its_own_however_deep_it_lies():
    schedule = {"spec": {"jobTemplate": {"spec": {"template": {"spec": a_pod("mine/job:v2")}}}}}
    assert list(images_of(schedule)) == ["mine/job:v2"]


def test_a_build_names_what_it_has_made_and_nothing_else_is_taken_for_an_image():
    assert list(images_of({"spec": {"repository": "mine/x"}, "status": {"image": "mine/x:v1"}})) == ["mine/x:v1"]
    assert list(images_of({"data": {"image": {"volume": "x"}}, "metadata": {"labels": {"app": "image"}}})) == []
