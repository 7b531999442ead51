"""When certificates end: of devices, put into a folder by name, and of the broker, asked over TLS."""

import logging
import socket
import ssl
from pathlib import Path

from cryptography import x509

from ingest.settings import Broker

log = logging.getLogger("ingest")
SUFFIXES = (".pem", ".crt", ".cer")


def read_end(data: bytes) -> float:
    """End of a certificate (PEM or DER), s since 1970 UTC. Raises ``ValueError``: it is none."""
    pem = b"-----BEGIN" in data
    found = x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
    return found.not_valid_after_utc.timestamp()


def read_folder(folder: Path) -> dict[str, float]:
    """File name without its ending -> end of that certificate; what is none is told and left out."""
    ends: dict[str, float] = {}
    for file in sorted(folder.glob("*")) if folder.is_dir() else []:
        if file.suffix.lower() not in SUFFIXES:
            continue
        try:
            ends[file.stem] = read_end(file.read_bytes())
        except (OSError, ValueError) as e:
            log.warning("certificate %s cannot be read: %s", file.name, e)
    return ends


def ask_broker(broker: Broker, timeout_s: float = 4.0) -> float:
    """End of the certificate that a TLS broker shows.

    Raises
    ------
    OSError : it does not answer, or its certificate is not accepted (``ssl.SSLCertVerificationError``)
    """
    context = ssl.create_default_context()
    with (
        socket.create_connection((broker.host, broker.port), timeout_s) as plain,
        context.wrap_socket(plain, server_hostname=broker.host) as link,
    ):
        shown = link.getpeercert(binary_form=True)
    assert shown is not None
    return read_end(shown)
