"""The certificate that a server shows, whoever signed it."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime

from msctl.state import Certificate

TIMEOUT = 2.0
"""Seconds that the server has for each of two handshakes."""
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


def certificate_of(host: str, port: int, server_name: str) -> Certificate | None:
    """What is shown to those who ask for this name; None when nobody answers there.

    Python tells the dates only of a certificate that it has verified: so it is fetched first, and
    then taken for the authority of itself.
    """
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the system's authorities
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    try:
        with _connected(host, port, server_name, unverified) as connection:
            shown = connection.getpeercert(binary_form=True)
        if shown is None:
            return None
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        own.check_hostname = False
        own.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        own.load_verify_locations(cadata=shown)
        with _connected(host, port, server_name, own) as connection:
            found = connection.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Certificate(expires=None, expired=error.verify_code == _EXPIRED)
    except OSError:
        return None
    seconds = ssl.cert_time_to_seconds(str(found["notAfter"]))
    return Certificate(datetime.fromtimestamp(seconds, UTC))


def _connected(host: str, port: int, server_name: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((host, port), timeout=TIMEOUT)
    try:
        return context.wrap_socket(plain, server_hostname=server_name)
    except BaseException:
        plain.close()
        raise
