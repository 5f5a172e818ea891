"""The pages Ship and Images: what they put before one, what they do, and that they are live."""

import pytest
from django.test import Client as Browser
from playwright.sync_api import expect

from lab.apimachinery.kinds import BUILDS, DEPLOYMENTS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.dashboard.shipping import address_of, builds_of, files_to_edit, image_rows, shipped_last, told_size, used_by

SECONDS = 30_000


def deployment(image: str = "orrery/hello:v2") -> dict:
    labels = {"app": "hello"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": "hello", "namespace": "default"}, "spec": spec}


def build(number: int, image: str = "", of: str = "hello", dockerfile: str = "FROM x\n") -> dict:
    meta = {"name": f"b{number}", "namespace": "default", "resourceVersion": str(number)}
    files = {"page.html": f"page {number}", "Dockerfile": dockerfile}
    return {"metadata": meta, "spec": {"deployment": of, "files": files}, "status": {"image": image}}


def test_at_first_one_edits_the_demos_own_page():
    files = files_to_edit(deployment("orrery/bank-ui:v1"), [])
    assert "Meridian Bank" in files["page.html"]
    assert files["Dockerfile"].splitlines()[:2] == ["FROM orrery/bank-ui:v1", "COPY page.html /app/bank/page.html"]
    shipped = files_to_edit(deployment("orrery/hello:v9"), [])
    assert "FROM orrery/hello:v1" in shipped["Dockerfile"] and "ENV VERSION=$TAG" in shipped["Dockerfile"]
    assert files_to_edit(deployment("nginx:1"), [])["Dockerfile"].startswith("FROM nginx:1\n")


def test_later_one_goes_on_where_one_was():
    builds = builds_of([build(3, "orrery/hello:v7"), build(9), build(5, of="other")], deployment())
    assert [one["metadata"]["name"] for one in builds] == ["b9", "b3"]
    files = files_to_edit(deployment(), builds)
    assert files == {"page.html": "page 9", "Dockerfile": "FROM x\n"}
    assert "hello {version}" in files_to_edit(deployment(), builds, afresh=True)["page.html"]


def test_one_goes_on_with_what_was_shipped_last():
    accounts, hello = {**deployment(), "metadata": {"name": "accounts", "namespace": "default"}}, deployment()
    assert shipped_last([accounts, hello], [build(3, of="accounts"), build(5)]) is hello
    assert shipped_last([accounts, hello], [build(3, of="gone")]) is accounts
    assert shipped_last([], []) is None


def test_an_image_says_who_uses_it():
    owner = {"kind": "ReplicaSet", "name": "hello-1", "uid": "u", "controller": True}
    of = {"kind": "Deployment", "name": "hello", "uid": "d", "controller": True}
    pods = [
        {"metadata": {"name": f"p{n}", "namespace": "default", "ownerReferences": [owner]}, "spec": spec}
        for n in range(2)
        if (spec := {"containers": [{"image": "orrery/hello:v1"}, {"image": "busybox"}]})
    ]
    sets = [{"metadata": {"name": "hello-1", "namespace": "default", "ownerReferences": [of]}}]
    images = [
        {"id": "sha256:0123456789abcdef", "names": ["zzz:1"]},
        {"id": "sha256:1", "names": ["busybox:latest"]},
        {"id": "process:orrery/hello:v1", "names": ["orrery/hello:v1"]},
    ]
    rows = image_rows(images, used_by(pods, sets))
    assert [row["usedBy"] for row in rows] == [{"hello": 2}, {"hello": 2}, {}]
    assert rows[-1]["short"] == "0123456789ab"


def test_a_page_is_seen_where_a_service_leads_to_it():
    services = [{"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"app": "hello"}}}]
    door = "http://localhost:8089/"
    assert address_of(deployment(), services, door, "c") == "http://web.default.c.localhost:8089/"
    assert address_of(deployment(), [], door, "c") == address_of(deployment(), services, "", "c") == ""


def test_sizes_are_told_as_docker_tells_them():
    assert [told_size(n) for n in (0, 129, 85_391_384, 1_200_000_000)] == ["0 B", "129 B", "85.4 MB", "1.2 GB"]


@pytest.mark.django_db
def test_the_form_makes_a_build_and_takes_one_back():
    ensure_cluster("pages")
    client = Client("pages", "tester")
    browser = Browser()
    assert "Nothing to ship to" in browser.get("/clusters/pages/ship").content.decode()
    client.create(DEPLOYMENTS, deployment())
    assert "Nothing here can build" in browser.get("/clusters/pages/ship").content.decode()
    form = {"deployment": "default/hello", "page": "<h1>a\r\nb</h1>", "dockerfile": "FROM orrery/hello:v1"}
    answer = browser.post("/clusters/pages/ship", form)
    (made,) = client.list(BUILDS)
    assert answer.status_code == 302 and answer.url.endswith(f"build={made['metadata']['name']}")
    assert made["spec"]["files"]["page.html"] == "<h1>a\nb</h1>"
    assert "&lt;h1&gt;a\nb&lt;/h1&gt;" in browser.get(answer.url).content.decode()
    browser.post("/clusters/pages/ship", {"deployment": "default/hello", "cancel": made["metadata"]["name"]})
    assert not client.list(BUILDS)
    lost = browser.post("/clusters/pages/ship", {**form, "deployment": "default/gone"})
    assert lost.status_code == 404 and "&lt;h1&gt;a" in lost.content.decode()
    assert not client.list(BUILDS)
    refused = browser.post("/clusters/pages/ship", {**form, "page": "x" * 300_000})
    assert refused.status_code == 422 and "Too long" in refused.content.decode()


@pytest.mark.django_db
def test_without_engines_there_are_no_images():
    ensure_cluster("pages")
    assert Browser().get("/clusters/pages/images").status_code == 200
    assert Browser().get("/clusters/pages/images.json").json() == {"images": []}


def test_the_page_says_that_the_loop_of_builds_stands_and_hears_that_it_turns_again(page, process_lab):
    def turn(mode: str) -> None:
        wheel, merge = "/apis/orrery.io/v1/wheels/build", "application/merge-patch+json"
        process_lab.api("PATCH", wheel, {"spec": {"mode": mode}}, content_type=merge)

    page.set_default_timeout(SECONDS)
    turn("Paused")
    page.goto(f"{process_lab.address}/clusters/default/ship?deployment=default/hello&afresh")
    page.get_by_role("button", name="Ship").click()
    expect(page.locator("#build")).to_have_attribute("data-phase", "Pending")
    expect(page.locator("#wheel")).to_contain_text("The loop of builds is paused: this build waits for it.")
    page.fill("#page", "typed meanwhile")
    turn("Broken")
    expect(page.locator("#wheel")).to_contain_text("The loop of builds is broken")
    expect(page.locator("#page")).to_have_value("typed meanwhile")
    page.get_by_role("button", name="Cancel").click()
    turn("Running")
    page.reload()
    expect(page.locator("#wheel")).to_be_hidden()


def test_one_edits_ships_and_watches_by_keyboard(page, process_lab):
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(SECONDS)
    before = process_lab.get("/apis/apps/v1/namespaces/default/deployments/hello")["spec"]
    page.goto(f"{process_lab.address}/clusters/default/ship?deployment=default/hello&afresh")
    page.fill("#page", "<p>made in the browser by {pod}</p>")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#build")).to_have_attribute("data-phase", "Complete", timeout=3 * SECONDS)
    expect(page.locator("#message")).to_contain_text("3 of 3 replicas")
    expect(page.locator("#log")).to_contain_text("COPY page.html")
    image = page.locator("#image").inner_text()
    expect(page.locator(".runs")).to_contain_text(image)
    page.goto(f"{process_lab.address}/clusters/default/images")
    mine = page.locator(".image", has_text=image)
    expect(mine).to_contain_text("hello: 3 pods")
    mine.locator("summary").press("Enter")
    expect(mine.locator(".layers")).to_contain_text("/app/page.html")
    assert not errors
    patch = {"spec": {"template": before["template"]}}
    merge = "application/merge-patch+json"
    process_lab.api("PATCH", "/apis/apps/v1/namespaces/default/deployments/hello", patch, content_type=merge)
    process_lab.wait_for_ready_pods(3)
