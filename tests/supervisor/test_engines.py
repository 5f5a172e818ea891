"""Further Docker engines: how they are named on the command line, reached and remembered."""

import argparse

import pytest

from lab.supervisor.engines import FurtherEngine, further_engine, further_engines, keep


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("b", "is not NAME=ADDRESS"),
        ("B=ssh://ada@host", "is not NAME=ADDRESS"),
        ("b=host:2376", "is not NAME=ADDRESS"),
        ("b=tcp://host:2375", "is root of that machine"),
        ("b=tcp://host:2376,/nowhere", "there is no /nowhere/cert.pem"),
    ],
)
def test_what_is_no_engine_is_refused_and_says_what_one_is(text, said):
    with pytest.raises(argparse.ArgumentTypeError, match=said):
        further_engine(text)


def test_an_engine_behind_tls_and_one_behind_ssh_are_reached_as_dockers_own_programs_do(tmp_path):
    (tmp_path / "cert.pem").touch()
    secure = further_engine(f"b=tcp://host:2376,{tmp_path}").environment(tmp_path)
    assert secure == {"DOCKER_HOST": "tcp://host:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    far = further_engine("c=ssh://ada@host:2222")
    socket = far.environment(tmp_path)["DOCKER_HOST"].removeprefix("unix://")
    assert far.tunnel(tmp_path)[-3:] == ("-L", f"{socket}:/var/run/docker.sock", "ssh://ada@host:2222")
    assert further_engine("d=unix:///run/other.sock").tunnel(tmp_path) == ()


def test_those_of_earlier_starts_are_remembered(tmp_path):
    assert further_engines(tmp_path) == []
    one, two = FurtherEngine("b", "unix:///b"), FurtherEngine("c", "unix:///c")
    keep(tmp_path, [one])
    keep(tmp_path, [two, one._replace(address="unix:///new")])
    assert further_engines(tmp_path) == [one._replace(address="unix:///new"), two]
