"""The lab's own authority: what it makes, keeps, renews, and lets nobody read."""

import datetime
import stat

from cryptography import x509

from lab.management import pki

HOSTS = ["localhost", "127.0.0.1", "::1"]


def test_what_was_made_is_kept_and_readable_by_nobody_else(tmp_path):
    folder = tmp_path / "pki"
    pki.prepare(folder, HOSTS)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {"ca.crt", "ca.key", "server.crt", "server.key", "sa.key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    pki.prepare(folder, HOSTS)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_other_names_are_another_certificate_of_the_same_authority(tmp_path):
    folder = tmp_path / "pki"
    pki.prepare(folder, HOSTS)
    authority, first = (folder / "ca.crt").read_bytes(), (folder / "server.crt").read_bytes()
    pki.prepare(folder, [*HOSTS, "lab.example.com"])
    assert (folder / "ca.crt").read_bytes() == authority
    certificate = x509.load_pem_x509_certificate((folder / "server.crt").read_bytes())
    assert (folder / "server.crt").read_bytes() != first
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "lab.example.com"]


def test_one_that_ends_soon_is_renewed(tmp_path, monkeypatch):
    folder = tmp_path / "pki"
    monkeypatch.setattr(pki, "DAYS", pki.RENEW_DAYS - 1)
    pki.prepare(folder, HOSTS)
    monkeypatch.undo()
    pki.prepare(folder, HOSTS)
    certificate = x509.load_pem_x509_certificate((folder / "server.crt").read_bytes())
    assert certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC) > datetime.timedelta(days=300)
