"""The log of a local process: rotated under its readers without a line lost or told twice."""

import threading

from lab.runtime import LogOptions
from lab.runtime.process import logfile
from lab.runtime.process.logfile import LogWriter


def read(folder, ended=None, **options) -> list[bytes]:
    return [line.rstrip() for line in logfile.read(folder, ended, LogOptions(**options))]


def test_pieces_become_lines_and_the_last_needs_no_newline(tmp_path):
    writer = LogWriter(tmp_path)
    for piece in (b"he", b"llo\nwor", b"ld"):
        writer.feed(piece)
    assert read(tmp_path) == [b"hello"]
    writer.close()
    assert read(tmp_path) == [b"hello", b"world"]


def test_the_file_before_is_read_too(tmp_path, monkeypatch):
    monkeypatch.setattr(logfile, "MOST_BYTES", 400)
    writer = LogWriter(tmp_path)
    for number in range(12):
        writer.feed(b"line %d\n" % number)
    assert read(tmp_path)[-5:] == [b"line %d" % number for number in range(7, 12)]
    assert read(tmp_path, tail=1) == [b"line 11"]


def test_a_follower_misses_no_line_while_the_log_is_rotated(tmp_path, monkeypatch):
    monkeypatch.setattr(logfile, "MOST_BYTES", 20_000)
    monkeypatch.setattr(logfile, "LOOK_SECONDS", 0.0005)
    writer, over, found = LogWriter(tmp_path), threading.Event(), []
    reader = threading.Thread(target=lambda: found.extend(read(tmp_path, ended=over.is_set)))
    reader.start()
    for number in range(3000):
        writer.feed(b"%d\n" % number)
        threading.Event().wait(0.0002)
    over.set()
    reader.join(10)
    assert found == [b"%d" % number for number in range(3000)]


def test_the_log_of_a_container_that_is_removed_meanwhile_simply_ends(tmp_path):
    folder = tmp_path / "container"
    folder.mkdir()
    writer = LogWriter(folder)
    writer.feed(b"hello\n")
    lines = logfile.read(folder, lambda: False, LogOptions())
    assert next(lines) == b"hello\n"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert list(lines) == []
