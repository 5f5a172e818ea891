import pytest

from lab.supervisor.state import CannotStart, check_writable, hold, is_running, read_run, write_run


def test_a_folder_has_one_holder_at_a_time(tmp_path):
    assert not is_running(tmp_path)
    with hold(tmp_path) as first:
        assert first
        assert is_running(tmp_path)
        with hold(tmp_path) as second:
            assert second is None
    assert not is_running(tmp_path)


def test_what_a_lab_says_of_itself_can_be_read(tmp_path):
    assert read_run(tmp_path) == {}
    write_run(tmp_path, {"pid": 7})
    assert read_run(tmp_path) == {"pid": 7}


def test_half_a_file_counts_as_none(tmp_path):
    (tmp_path / "run.json").write_text('{"pid": ')
    assert read_run(tmp_path) == {}


def test_a_missing_folder_is_made(tmp_path):
    check_writable(tmp_path / "new" / "data")
    assert (tmp_path / "new" / "data" / "logs").is_dir()


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match=r"Cannot write to the data folder .*file/data: Not a directory.*--data DIR"):
        check_writable(tmp_path / "file" / "data")
