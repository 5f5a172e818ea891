"""Every way of keeping records keeps the same contract, and what was kept is there afterwards."""

import pytest

from lab.demos.bank.storage import Away, File, Journal, Memory, Remote, change, opened


def over_the_wire(storage):
    """A Remote whose other end is in this process."""

    def ask(method: str, path: str, body: dict) -> tuple[int, dict]:
        if method == "GET":
            records, revision = storage.read(path.rpartition("/")[2])
            return 200, {"records": records, "revision": revision}
        done = storage.write(body["changes"], body["revision"])
        return (200, {}) if done else (409, {"error": "somebody else"})

    return Remote(ask)


@pytest.fixture(params=["memory", "file", "journal", "remote"])
def storage(request, tmp_path):
    made = {
        "memory": Memory,
        "file": lambda: File(str(tmp_path / "bank.json")),
        "journal": lambda: Journal(str(tmp_path / "bank.journal")),
        "remote": lambda: over_the_wire(Memory()),
    }
    return made[request.param]()


def test_what_is_written_is_read(storage):
    records, revision = storage.read("accounts")
    assert "anna" in records
    assert storage.write({"accounts": {"anna": {"cents": 1}}, "payments": {"p": {"cents": 2}}}, revision)
    after, later = storage.read("accounts")
    assert after == {**records, "anna": {"cents": 1}} and later > revision
    assert storage.read("payments")[0] == {"p": {"cents": 2}}
    assert storage.read("nothing")[0] == {}


def test_who_has_read_something_older_writes_nothing(storage):
    _, revision = storage.read("accounts")
    assert storage.write({"accounts": {"ben": {"cents": 1}}}, revision)
    assert not storage.write({"accounts": {"ben": {"cents": 2}}}, revision)
    assert storage.read("accounts")[0]["ben"] == {"cents": 1}


@pytest.mark.parametrize("kind", [Memory, File, Journal])
def test_what_has_forgotten_is_as_at_the_beginning_and_stays_so(tmp_path, kind):
    def made():
        return kind() if kind is Memory else kind(str(tmp_path / "bank"))

    storage, first = made(), Memory().read("accounts")[0]
    _, revision = storage.read("accounts")
    assert storage.write({"accounts": {"anna": {"cents": 1}}, "payments": {"p": {"cents": 2}}}, revision)
    storage.forget()
    again = storage if kind is Memory else made()
    assert again.read("accounts")[0] == first and again.read("payments")[0] == {}
    assert not again.write({"payments": {"q": {}}}, revision + 1)  # read before: of records that are no more
    assert again.write({"payments": {"q": {}}}, again.read("payments")[1])


def test_a_change_reads_again_when_somebody_came_between(storage):
    seen = []

    def edit(records):
        seen.append(records["ben"]["cents"])
        if len(seen) == 1:
            change(storage, "accounts", lambda now: {"accounts": {"ben": {"cents": 7}}})
        return {"accounts": {"ben": {"cents": records["ben"]["cents"] + 1}}}

    change(storage, "accounts", edit)
    assert seen[-1] == 7 and storage.read("accounts")[0]["ben"]["cents"] == 8


@pytest.mark.parametrize("kind, name", [(File, "bank.json"), (Journal, "bank.journal")])
def test_it_outlives_its_process(tmp_path, kind, name):
    first = kind(str(tmp_path / name))
    first.write({"accounts": {"anna": {"cents": 5}}}, first.read("accounts")[1])
    again = kind(str(tmp_path / name))
    assert again.read("accounts") == first.read("accounts")


def test_the_journal_takes_over_what_the_file_has_left(tmp_path):
    old = File(str(tmp_path / "bank.json"))
    old.write({"accounts": {"anna": {"cents": 5}}}, old.read("accounts")[1])
    assert Journal(str(tmp_path / "bank.journal")).read("accounts") == old.read("accounts")
    assert Journal(str(tmp_path / "bank.journal")).read("accounts") == old.read("accounts")


def test_a_journal_that_was_cut_off_has_all_but_its_last_line(tmp_path):
    journal = Journal(str(tmp_path / "bank.journal"))
    before = journal.read("accounts")
    with (tmp_path / "bank.journal").open("a") as file:
        file.write('{"revision": 9, "chan')
    again = Journal(str(tmp_path / "bank.journal"))
    assert again.read("accounts") == before
    assert again.write({"accounts": {"anna": {"cents": 1}}}, before[1])
    assert Journal(str(tmp_path / "bank.journal")).read("accounts")[0]["anna"] == {"cents": 1}


def test_without_a_volume_it_keeps_them_in_memory_and_says_so(tmp_path):
    kept, words = opened(f"file:{tmp_path}/missing/bank.json")
    kept.write({"accounts": {}}, kept.read("accounts")[1])
    assert type(kept) is Memory and "cannot be used" in words


def test_a_storage_that_does_not_answer_is_away():
    with pytest.raises(Away, match="loans"):
        Remote(lambda *_: (503, {"error": "loans"}), patience=0).read("accounts")


def test_a_storage_that_is_replaced_is_waited_for():
    answers = iter([(503, {"error": "away"}), (503, {"error": "away"}), (200, {"records": {}, "revision": 3})])
    assert Remote(lambda *_: next(answers)).read("accounts") == ({}, 3)
