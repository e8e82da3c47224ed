"""A certificate with its key, as PEM: read, checked, told of."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from msctl.errors import UsageProblem
from msctl.render.traefik.settings import Pair


def same_key(certificate: x509.Certificate, key: PrivateKeyTypes) -> bool:
    """Whether a key is that of a certificate."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)


def read_pair(folder: Path, cert: str, key: str, now: datetime) -> Pair:
    """The user's own certificate; paths start at the stack file's folder.

    Raises:
        UsageProblem: a file cannot be read or is no PEM, the two do not belong together, or the
            certificate has ended or not begun.
    """
    chain_text = _text(folder, "cert", cert)
    try:
        first = x509.load_pem_x509_certificates(chain_text.encode())[0]
    except ValueError:
        raise _wrong("cert", cert, "holds no certificate in PEM form") from None
    key_text = _text(folder, "key", key)
    try:
        private = load_pem_private_key(key_text.encode(), None)
    except TypeError:
        raise _wrong("key", key, "is locked by a password; the gateway cannot ask for it") from None
    except ValueError:
        raise _wrong("key", key, "holds no private key in PEM form") from None
    if not same_key(first, private):
        raise _wrong("key", key, f"is not the key of the certificate in {cert}")
    if first.not_valid_after_utc <= now:
        raise _wrong("cert", cert, f"ended on {first.not_valid_after_utc:%Y-%m-%d}")
    if first.not_valid_before_utc > now:
        raise _wrong("cert", cert, f"begins on {first.not_valid_before_utc:%Y-%m-%d}")
    return Pair(chain_text, key_text)


def _text(folder: Path, name: str, file: str) -> str:
    try:
        return (folder / file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _wrong(name, file, "is not text; a PEM file is wanted") from None
    except OSError as error:
        raise _wrong(name, file, f"cannot be read: {error.strerror}") from None


def _wrong(name: str, file: str, what: str) -> UsageProblem:
    return UsageProblem(f"gateway.tls.{name}: {file} {what}")
