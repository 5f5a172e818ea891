"""The lab's own certificate authority, and what it signs: files in `pki/` of the data folder, readable by nobody else.

    ca.crt, ca.key          the authority, for all clusters of the lab
    server.crt, server.key  what the API shows at its TLS port
    sa.key                  signs the tokens of ServiceAccounts

Only `manage.py prepare` and `manage.py kubeconfig` come here: no process that stays has to know how certificates are
made. Who has `ca.key` is master of the lab.
"""

import contextlib
import datetime
import ipaddress
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS, DAYS = 3650, 365
RENEW_DAYS = 30  # before its end, at the lab's next start
BACKDATED = datetime.timedelta(hours=1)  # clocks differ
CA_USAGES = ("digital_signature", "key_cert_sign", "crl_sign")
USAGES = (
    *CA_USAGES, "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
    "decipher_only",
)  # fmt: skip
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def prepare(folder: Path, hosts: Iterable[str]) -> None:
    """Make what is missing, and a new server's certificate if the old one ends soon or has other names."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if not (folder / "ca.crt").exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "orrery")])
        _write(folder / "ca.key", _key_pem(key))
        _write(folder / "ca.crt", _pem(_ca(key, name)))
        (folder / "server.crt").unlink(missing_ok=True)
    if not (folder / "sa.key").exists():
        _write(folder / "sa.key", _key_pem(rsa.generate_private_key(65537, 2048)))
    names = [_general_name(host) for host in dict.fromkeys(hosts)]
    if not _is_good(folder / "server.crt", names):
        subject = [("commonName", "kube-apiserver")]
        certificate, key_pem = _issue(folder, subject, ExtendedKeyUsageOID.SERVER_AUTH, names)
        _write(folder / "server.key", key_pem)
        _write(folder / "server.crt", certificate)


def client_certificate(folder: Path, user: str, groups: Iterable[str]) -> tuple[bytes, bytes]:
    """(certificate, key) as PEM, by which the API knows the user and the groups they are in."""
    subject = [*(("organizationName", group) for group in groups), ("commonName", user)]
    return _issue(folder, subject, ExtendedKeyUsageOID.CLIENT_AUTH)


def _ca(key: ec.EllipticCurvePrivateKey, name: x509.Name) -> x509.Certificate:
    return (
        _builder(name, name, key.public_key(), CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{usage: usage in CA_USAGES for usage in USAGES}), critical=True)
        .sign(key, hashes.SHA256())
    )


def _issue(
    folder: Path, subject: list[tuple[str, str]], purpose: x509.ObjectIdentifier, names: Sequence[x509.GeneralName] = ()
) -> tuple[bytes, bytes]:
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)  # as `prepare` has made it
    key = ec.generate_private_key(ec.SECP256R1())
    oids = {"commonName": NameOID.COMMON_NAME, "organizationName": NameOID.ORGANIZATION_NAME}
    name = x509.Name([x509.NameAttribute(oids[field], value) for field, value in subject])
    builder = (
        _builder(name, authority.subject, key.public_key(), DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return _pem(builder.sign(signer, hashes.SHA256())), _key_pem(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host)


def _is_good(path: Path, names: list[x509.GeneralName]) -> bool:
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    return set(named) == set(names) and left > datetime.timedelta(days=RENEW_DAYS)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: Key) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    fresh = path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
