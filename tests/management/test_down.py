"""Ending a lab from outside."""

import os
import shutil
import socket
import subprocess

import pytest
from django.conf import settings

from lab import parts
from lab.management.commands.down import remove_folder

from ..conftest import need
from ..labs import manage


def test_nothing_is_purged_where_nobody_can_be_asked(tmp_path):
    kept = tmp_path / "secret-key"
    kept.write_text("x")
    done = manage("down", "--purge", data=tmp_path)  # without a terminal
    assert done.returncode == 1 and kept.exists()
    assert done.stderr.splitlines()[-1] == "CommandError: Kept: nobody is there to be asked. With --yes nobody is."


def test_what_a_kubelet_would_make_anew_is_not_removed(tmp_path, broker):
    env = {"REDIS_URL": broker, "ORRERY_LAB_ID": settings.LAB_ID, "ORRERY_RUNTIME": "process"}
    parts._client.delete(parts._key())
    parts.say("worker", "worker@control-plane:7", {"queues": ["control-plane"], "engines": {}})
    assert manage("down", data=tmp_path, **env).returncode == 0
    kubelet = parts.Here("worker", lambda: {"queues": ["kubelet"], "engines": {"docker": None}})
    kubelet.start()
    try:
        refused = manage("down", "--purge", "--yes", data=tmp_path, **env)
        assert refused.returncode == 1
        assert f"still runs and would make it all anew: worker@{socket.gethostname()}:" in refused.stderr
    finally:
        kubelet.stop()
        parts._client.delete(parts._key())
    assert tmp_path.exists()


@pytest.mark.parametrize("mounted", [True, False])
def test_a_folder_that_is_mounted_is_emptied_and_any_other_goes(mounted, tmp_path):
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    if mounted:
        need("root, to mount", os.geteuid() == 0 and shutil.which("mount"))
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
    try:
        (folder / "pki").mkdir(exist_ok=True)
        (folder / "pki" / "ca.key").write_text("x")
        (folder / "secret-key").write_text("x")
        (folder / "elsewhere").symlink_to(tmp_path)
        remove_folder(folder)
        assert folder.exists() == mounted and not (mounted and any(folder.iterdir()))
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)
