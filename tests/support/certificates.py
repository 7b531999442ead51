"""A certificate authority for tests, and what it signs."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Signs for 127.0.0.1; ``days`` may be negative for a certificate that is over."""

    def __init__(self, name: str = "County test CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self.certificate = self._build(self._name, self._key.public_key(), 30, ca=True)

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: float, ca: bool = False
    ) -> x509.Certificate:
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - datetime.timedelta(days=400))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
            made = made.add_extension(host, critical=False)
        return made.sign(self._key, hashes.SHA256())

    def write(self, folder: Path, name: str, days: float) -> None:
        """``{name}.pem``, ``{name}.key`` and ``ca.pem`` in ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        pem = serialization.Encoding.PEM
        (folder / "ca.pem").write_bytes(self.certificate.public_bytes(pem))
        (folder / f"{name}.pem").write_bytes(
            self._build(_name(name), key.public_key(), days).public_bytes(pem)
        )
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
