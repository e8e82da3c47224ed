"""The stack's own authority: what it signs, when it is renewed, and that it is nobody else's."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from msctl.errors import StepFailed, UsageProblem
from msctl.tls.authority import LIFE, RENEW_BEFORE, Authority
from msctl.tls.pairs import read_pair

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOSTS = ("www.example.org", "10.1.2.3")


def authority(folder: Path, hosts: tuple[str, ...] = HOSTS) -> Authority:
    return Authority(folder / ".msctl" / "tls", "shop", hosts)


def issued(folder: Path) -> Authority:
    found = authority(folder)
    found.issue(NOW)
    return found


def leaf(own: Authority) -> x509.Certificate:
    pair = own.pair()
    assert pair is not None
    return x509.load_pem_x509_certificate(pair.certificate.encode())


def test_a_certificate_is_made_and_is_good(tmp_path: Path) -> None:
    """For the hosts and for loopback; made once, and not due until it nearly ends."""
    own = authority(tmp_path)
    assert own.due(NOW) == "there is no authority"
    own.issue(NOW)
    names = leaf(own).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["www.example.org", "localhost"]
    addresses = [str(found) for found in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["10.1.2.3", "127.0.0.1", "::1"]
    assert own.due(NOW) is None
    assert own.due(NOW + LIFE - RENEW_BEFORE - timedelta(hours=1)) is None
    assert own.due(NOW + LIFE - RENEW_BEFORE + timedelta(days=1)) == "it ends on 2031-01-01"
    assert own.due(NOW + LIFE + timedelta(days=1)) == "it ends on 2031-01-01"


def test_openssl_verifies_it(tmp_path: Path) -> None:
    """The chain and the key are as a client and a server want them."""
    own = issued(tmp_path)
    pair = own.pair()
    assert pair is not None
    both = tmp_path / "both.pem"
    both.write_text(pair.key + pair.certificate)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(both)
    client = ssl.create_default_context(cafile=str(tmp_path / ".msctl/tls/ca.pem"))
    assert len(client.get_ca_certs()) == 1


def test_the_files_are_the_users_alone(tmp_path: Path) -> None:
    """Keys 0600 in a folder 0700; the authority's certificate may be handed out; no draft stays."""
    issued(tmp_path)
    folder = tmp_path / ".msctl" / "tls"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"ca.pem": 0o644, "ca.key": 0o600, "gateway.pem": 0o600}


@pytest.mark.parametrize("jump", [timedelta(days=20 * 365), timedelta(days=-20 * 365)], ids=str)
def test_a_clock_that_jumps_and_comes_back_is_mended(tmp_path: Path, jump: timedelta) -> None:
    """What was made while it was wrong, the authority included, is made anew, so that the next `up`
    brings what clients take."""
    own = issued(tmp_path)
    for now in (NOW + jump, NOW, NOW + jump, NOW):
        assert own.due(now) is not None
        own.issue(now)
        assert own.due(now) is None
        ca = x509.load_pem_x509_certificate((tmp_path / ".msctl/tls/ca.pem").read_bytes())
        for certificate in (ca, leaf(own)):
            assert certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc
        leaf(own).verify_directly_issued_by(ca)


def test_a_clock_that_goes_back_by_hours_keeps_the_authority(tmp_path: Path) -> None:
    """Nobody has to be told to trust another one."""
    own = issued(tmp_path)
    own.issue(NOW + timedelta(hours=9))
    ca = (tmp_path / ".msctl/tls/ca.pem").read_text()
    assert own.due(NOW + timedelta(hours=3)) == "it begins on 2030-01-01"
    own.issue(NOW + timedelta(hours=3))
    assert (tmp_path / ".msctl/tls/ca.pem").read_text() == ca


def test_a_renewal_keeps_the_authority(tmp_path: Path) -> None:
    """Whoever trusts it need not be told of a new certificate."""
    own = issued(tmp_path)
    ca, old = (tmp_path / ".msctl/tls/ca.pem").read_text(), leaf(own)
    own.issue(NOW + timedelta(days=340))
    assert (tmp_path / ".msctl/tls/ca.pem").read_text() == ca
    assert leaf(own).serial_number != old.serial_number
    assert own.due(NOW + timedelta(days=340)) is None


def test_an_authority_that_ends_before_its_certificate_would_is_made_anew(tmp_path: Path) -> None:
    """A certificate is never good for longer than who signed it."""
    own = issued(tmp_path)
    ca, late = (tmp_path / ".msctl/tls/ca.pem").read_text(), NOW + timedelta(days=3600)
    own.issue(late)
    assert (tmp_path / ".msctl/tls/ca.pem").read_text() != ca
    assert own.due(late) is None


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "gateway.pem").unlink(), "there is none"),
        (lambda folder: (folder / "gateway.pem").write_text("half"), "there is none"),
        (lambda folder: (folder / "ca.key").unlink(), "there is no authority"),
        (lambda folder: (folder / "ca.pem").write_text(""), "there is no authority"),
    ],
)
def test_what_is_missing_or_broken_is_made_anew(tmp_path: Path, spoil: object, why: str) -> None:
    """It says why, and the next certificate is good."""
    own = issued(tmp_path)
    spoil(tmp_path / ".msctl" / "tls")  # type: ignore[operator]
    assert own.due(NOW) == why
    own.issue(NOW)
    assert own.due(NOW) is None


def test_what_does_not_fit_is_due(tmp_path: Path) -> None:
    """Other hosts, another authority, a clock that was set back."""
    own = issued(tmp_path)
    assert authority(tmp_path, ("other.example.org",)).due(NOW) == "it is for other hosts"
    assert own.due(NOW - timedelta(days=1)) == "it begins on 2029-12-31"
    (tmp_path / "other").mkdir()
    issued(tmp_path / "other")
    for name in ("ca.pem", "ca.key"):
        text = (tmp_path / "other/.msctl/tls" / name).read_text()
        (tmp_path / ".msctl/tls" / name).write_text(text)
    assert own.due(NOW) == "it is of another authority"


def test_links_are_refused(tmp_path: Path) -> None:
    """A key is not read from, and not written to, where somebody leads it."""
    own = issued(tmp_path)
    key = tmp_path / ".msctl/tls/ca.key"
    key.rename(tmp_path / "elsewhere")
    key.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StepFailed, match="is a link"):
        own.due(NOW)


def test_a_folder_that_cannot_be_written_keeps_what_it_has(tmp_path: Path) -> None:
    """All or nothing: a file in the place of the folder is an error that names it."""
    (tmp_path / ".msctl").write_text("in the way")
    with pytest.raises(StepFailed, match=r"cannot make .*tls"):
        authority(tmp_path).issue(NOW)


# The user's own files


def own_files(folder: Path, **life: datetime) -> None:
    found = trustme.CA().issue_cert("www.example.org", **life)
    (folder / "c.pem").write_bytes(b"".join(p.bytes() for p in found.cert_chain_pems))
    (folder / "k.pem").write_bytes(found.private_key_pem.bytes())


def test_a_pair_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    """The certificate with those behind it, and its key."""
    own_files(tmp_path)
    pair = read_pair(tmp_path, "c.pem", "k.pem", datetime.now(UTC))
    assert pair.certificate == (tmp_path / "c.pem").read_text()
    assert pair.key == (tmp_path / "k.pem").read_text()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.pem", None, "gateway.tls.cert: c.pem cannot be read: No such file or directory"),
        ("c.pem", "text", "gateway.tls.cert: c.pem holds no certificate in PEM form"),
        ("k.pem", None, "gateway.tls.key: k.pem cannot be read: No such file or directory"),
        ("k.pem", "text", "gateway.tls.key: k.pem holds no private key in PEM form"),
        ("k.pem", "other", "gateway.tls.key: k.pem is not the key of the certificate in c.pem"),
    ],
)
def test_a_pair_that_is_of_no_use_is_refused(
    tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    """By the key of the stack file, and the file."""
    own_files(tmp_path)
    (tmp_path / name).unlink()
    if text == "other":
        (tmp_path / name).write_bytes(trustme.CA().issue_cert("x").private_key_pem.bytes())
    elif text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageProblem) as error:
        read_pair(tmp_path, "c.pem", "k.pem", datetime.now(UTC))
    assert str(error.value).splitlines()[0] == said


def test_a_certificate_that_has_ended_or_not_begun_is_refused(tmp_path: Path) -> None:
    """With the day."""
    begin, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    own_files(tmp_path, not_before=begin, not_after=end)
    for now, said in (
        (NOW, "ended on 2021-01-01"),
        (begin.replace(year=2019), "begins on 2020-01"),
    ):
        with pytest.raises(UsageProblem, match=said):
            read_pair(tmp_path, "c.pem", "k.pem", now)
