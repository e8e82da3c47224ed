"""The stack's own authority, and the certificate that it gives the gateway.

Files in `.msctl/tls` beside the stack file: `ca.pem`, which one may hand out and trust, `ca.key`,
and `gateway.pem` with the gateway's key and certificate, so that the two are always of one piece.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from msctl.errors import StepFailed
from msctl.files import wholefile
from msctl.render.traefik.settings import Pair
from msctl.state import NO_AUTHORITY
from msctl.tls.pairs import same_key
from msctl.tls.places import AUTHORITY

_AUTHORITY_KEY, _GATEWAY = "ca.key", "gateway.pem"
AUTHORITY_LIFE = timedelta(days=3650)
LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
"""A certificate that ends sooner is made anew."""
_LATE = timedelta(hours=1)
"""By how much another machine's clock may be late."""
_NEVER_EMPTY = ("localhost", "127.0.0.1", "::1")


class Authority:
    """What is in one folder of a stack."""

    def __init__(self, folder: Path, project: str, hosts: Sequence[str]) -> None:
        """`hosts`: names and addresses that the gateway is reached by, beside loopback's."""
        self._folder = folder
        self._project = project
        self._hosts = tuple(dict.fromkeys([*hosts, *_NEVER_EMPTY]))

    def due(self, now: datetime) -> str | None:
        """Why a new certificate is to be made; None where the one that is there is good.

        Raises:
            StepFailed: a file cannot be read.
        """
        authority, leaf = self._authority(), self._leaf()
        if authority is None:
            return NO_AUTHORITY
        if leaf is None:
            return "there is none"
        (ca, _), (certificate, _) = authority, leaf
        try:
            certificate.verify_directly_issued_by(ca)
        except (ValueError, TypeError, InvalidSignature):
            return "it is of another authority"
        if certificate.not_valid_before_utc > now:
            return f"it begins on {certificate.not_valid_before_utc:%Y-%m-%d}"
        if ca.not_valid_before_utc > now:  # made while the clock was ahead
            return f"its authority begins on {ca.not_valid_before_utc:%Y-%m-%d}"
        ends = min(certificate.not_valid_after_utc, ca.not_valid_after_utc)
        if ends - now < RENEW_BEFORE:
            return f"it ends on {ends:%Y-%m-%d}"
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if set(names) != set(self._names()):
            return "it is for other hosts"
        return None

    def issue(self, now: datetime) -> None:
        """Make a certificate, and first the authority where there is none that lasts.

        Raises:
            StepFailed: a file cannot be written.
        """
        try:
            wholefile.own_folder(self._folder)
        except OSError as error:
            raise StepFailed(f"cannot make {self._folder}: {error.strerror}") from error
        authority = self._authority()
        if authority is None or not _lasts(authority[0], now):
            authority = self._new_authority(now)
        ca, ca_key = authority
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _begun(now, LIFE, _name(f"{self._project} gateway"))
            .issuer_name(ca.subject)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(self._names()), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
                critical=False,
            )
            .sign(ca_key, hashes.SHA256())
        )
        wholefile.write(self._folder / _GATEWAY, _pem(key) + _pem(certificate))

    def pair(self) -> Pair | None:
        """What `issue` has made."""
        found = self._leaf()
        return None if found is None else Pair(_pem(found[0]), _pem(found[1]))

    def _new_authority(self, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        own = _name(f"msctl authority of {self._project}")
        certificate = (
            _begun(now, AUTHORITY_LIFE, own)
            .issuer_name(own)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS, critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        wholefile.write(self._folder / _AUTHORITY_KEY, _pem(key))
        wholefile.write(self._folder / AUTHORITY, _pem(certificate), wholefile.PUBLIC)
        return certificate, key

    def _names(self) -> list[x509.GeneralName]:
        return [_general_name(host) for host in self._hosts]

    def _authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
        text = wholefile.read(self._folder / AUTHORITY)
        key = wholefile.read(self._folder / _AUTHORITY_KEY)
        return None if text is None or key is None else _read(text + key)

    def _leaf(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
        text = wholefile.read(self._folder / _GATEWAY)
        return None if text is None else _read(text)


def _lasts(ca: x509.Certificate, now: datetime) -> bool:
    """Whether an authority is in force as long as a certificate that is made now."""
    return ca.not_valid_before_utc <= now and now + LIFE <= ca.not_valid_after_utc


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _begun(now: datetime, life: timedelta, subject: x509.Name) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LATE)
        .not_valid_after(now + life)
    )


def _read(text: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
    """Certificate and key; None where they are not what this module has written."""
    start = text.find("-----BEGIN PRIVATE KEY")
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
        key = load_pem_private_key(text[max(start, 0) :].encode(), None)
    except (ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not same_key(certificate, key):
        return None
    return certificate, key


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(part: x509.Certificate | PrivateKeyTypes) -> str:
    if isinstance(part, x509.Certificate):
        return part.public_bytes(Encoding.PEM).decode()
    return part.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


_SIGNS = x509.KeyUsage(
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
