"""Ending a lab from outside."""

from ..labs import manage


def test_nothing_is_purged_where_nobody_can_be_asked(tmp_path):
    kept = tmp_path / "secret-key"
    kept.write_text("x")
    done = manage("down", "--purge", data=tmp_path)  # without a terminal
    assert done.returncode == 1 and kept.exists()
    assert done.stderr.splitlines()[-1] == "CommandError: Kept: nobody is there to be asked. With --yes nobody is."
