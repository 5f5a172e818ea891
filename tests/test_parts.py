"""What the processes of a lab say of themselves, by the broker."""

import json

from lab import parts


def test_an_engine_is_heard_of_without_a_pause_until_it_makes_one_or_the_broker_forgets(broker, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(parts._client, "time", lambda: (int(now[0]), 0))
    for _ in range(10):
        parts.note_well(["docker"])
        now[0] += 3
    assert parts.last_well() == {"docker": parts.Well(ago=3.0, steady=27.0)}
    now[0] += parts.LOST_SECONDS  # it stood still, or the clock was set
    parts.note_well(["docker", "docker.b"])
    assert set(parts.last_well().values()) == {parts.Well(ago=0.0, steady=0.0)}
    now[0] -= 100  # set back
    parts.note_well(["docker"])
    assert parts.last_well()["docker"] == parts.Well(ago=0.0, steady=0.0)
    parts._client.delete(parts._key_of_wells())  # as when the broker is restarted
    parts.note_well(["docker"])
    assert parts.last_well() == {"docker": parts.Well(0.0, 0.0)}
    assert json.loads(parts._client.hget(parts._key_of_wells(), "docker")) == [now[0], now[0]]


def test_a_broker_that_has_heard_an_earlier_version_of_the_lab_troubles_nobody(broker):
    parts._client.hset(f"{parts._key()}:well", "docker", json.dumps(1000.0))
    parts._client.delete(parts._key_of_wells())
    assert parts.last_well() == {}
    parts.note_well(["docker"])
    assert set(parts.last_well()) == {"docker"}
    parts._client.delete(f"{parts._key()}:well")


def test_who_has_just_been_stopped_is_waited_for_and_who_runs_is_named(broker, monkeypatch):
    monkeypatch.setattr(parts, "FRESH_SECONDS", 1.0)
    parts._client.delete(parts._key())
    assert parts.staying() == []
    parts.say(parts.CLOCK, parts.CLOCK, {})
    assert parts.staying() == []
    parts.say(parts.CLOCK, parts.CLOCK, {})
    monkeypatch.setattr(parts, "EVERY_SECONDS", 0.3)
    worker, kubelet = parts.Here("worker", dict), parts.Here("kubelet", lambda: {"engines": {"docker": None}})
    for one in (worker, kubelet):
        one.start()
    try:
        assert [name.partition("@")[0] for name in parts.staying()] == ["kubelet", "worker"]
        assert [name.partition("@")[0] for name in parts.staying(lambda one: one.get("engines"))] == ["kubelet"]
    finally:
        for one in (worker, kubelet):
            one.stop()
    assert parts.staying() == []
