"""Certificates of a throw-away authority, for the demo shops and for tests of the probe."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates for hosts; its own certificate is what a probe must trust."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls, name: str, *, at: datetime, deputies: int = 0) -> "Authority":
        """`deputies`: how many intermediate authorities may stand in a row below it."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, name, key, at - timedelta(days=1), at + timedelta(days=3650))
        return cls(key, _for_signing(builder, deputies).sign(key, hashes.SHA256()))

    def deputy(self, name: str, *, starts: datetime, ends: datetime) -> "Authority":
        """An intermediate authority that this one vouches for."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, _name_of(self.certificate), key, starts, ends)
        return Authority(key, _for_signing(builder, 0).sign(self.key, hashes.SHA256()))

    @classmethod
    def open(cls, folder: Path, name: str, *, at: datetime) -> "Authority":
        """The authority kept in `folder` (ca.key, ca.pem), made and kept there the first time."""
        key_file, pem = folder / "ca.key", folder / "ca.pem"
        if key_file.exists() and pem.exists():
            key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
            if isinstance(key, ec.EllipticCurvePrivateKey):
                return cls(key, x509.load_pem_x509_certificate(pem.read_bytes()))
        made = cls.create(name, at=at)
        key_file.touch(mode=0o600)
        key_file.write_bytes(_private(made.key))
        made.write(pem)
        return made

    def write(self, path: Path) -> Path:
        """The authority's certificate as PEM."""
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, host: str, path: Path, *, starts: datetime, ends: datetime) -> Path:
        """Key and certificate for a host name or numeric address, in one PEM file that only its owner reads."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(host, _name_of(self.certificate), key, starts, ends)
        names = x509.SubjectAlternativeName([_general_name(host)])
        certificate = builder.add_extension(names, critical=False).sign(self.key, hashes.SHA256())
        return _write_pair(path, key, certificate)


def self_signed(host: str, path: Path, *, starts: datetime, ends: datetime) -> Path:
    """Key and certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([_general_name(host)])
    builder = _builder(host, host, key, starts, ends).add_extension(names, critical=False)
    return _write_pair(path, key, builder.sign(key, hashes.SHA256()))


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, starts: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts.astimezone(UTC))
        .not_valid_after(ends.astimezone(UTC))
    )


def _for_signing(builder: x509.CertificateBuilder, deputies: int) -> x509.CertificateBuilder:
    ca = x509.BasicConstraints(ca=True, path_length=deputies)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return builder.add_extension(ca, critical=True).add_extension(usage, critical=True)


def _name_of(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_pair(path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(_private(key) + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
