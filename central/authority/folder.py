"""The authority on disk: `authority/` in the office's folder. Its keys are for their owner alone.

authority.pem  authority.key    signs the certificates of gates and broker; the key is needed only to issue and to revoke
entrance.pem   entrance.key     signs those of the office's own programs, which come to the broker by a port of their own
signing.key                     the office's Ed25519 key, which gates pin: it signs what goes down to them
office.pem     office.key       what ingest shows to the broker
revoked.crl                     for the broker
issued/NAME/SERIAL.pem          everything that was issued
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from central.authority.certificates import (
    Signer,
    authority_certificate,
    client_certificate,
    common_name,
    host_names,
    revocation_list,
    server_certificate,
)
from central.home import office_dir
from sync.keyfiles import key_pem, read_key_file, read_private_key, write_key_file

RESERVED: Final = "menshen-"
"""What names of the office's own begin with; no gate's does."""
OFFICE: Final = "menshen-office"
TAIL: Final = "menshen-tail"
COMMAND: Final = "menshen-command"
POST: Final = "menshen-post"
BROKER: Final = "menshen-broker"
Issue = Callable[[Signer, EllipticCurvePublicKey], x509.Certificate]


def authority_dir() -> Path:
    """Where that of this office is. Not created here."""
    return office_dir() / "authority"


class AuthorityError(Exception):
    """The authority cannot do this: why, and what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A new certificate and its key, as PEM; the key is nowhere else. Secret."""

    certificate: bytes
    key: bytes


class Authority:
    """The authority in a folder. Raises AuthorityError when there is none, and KeyFileError for a key that is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not self.certificate_file.exists():
            raise AuthorityError(f"{folder} holds no authority: run `menshen office authority init`")

    @classmethod
    def make(cls, folder: Path, now: datetime) -> "Authority":
        """A new one, with the office's signing key, the office's certificate and an empty list of what was revoked."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if (folder / "authority.pem").exists():
            raise AuthorityError(
                f"{folder} holds an authority already: another one would shut out every gate that has a certificate"
            )
        signer = _new_signer("authority", now)
        for name, each in (("authority.key", signer.key), ("signing.key", Ed25519PrivateKey.generate())):
            (folder / name).unlink(missing_ok=True)  # of an attempt that broke off: the certificate comes last
            write_key_file(folder / name, each)
        replace(folder / "revoked.crl", revocation_list(signer, None, (), now).public_bytes(Encoding.PEM))
        replace(folder / "authority.pem", signer.certificate.public_bytes(Encoding.PEM))
        made = cls(folder)
        made.renew_entrance(now)
        return made

    @property
    def certificate_file(self) -> Path:
        """The authority's certificate."""
        return self._folder / "authority.pem"

    @property
    def entrance_file(self) -> Path:
        """The certificate by which the broker knows the office's own programs."""
        return self._folder / "entrance.pem"

    @property
    def revoked_file(self) -> Path:
        """The list of what was revoked."""
        return self._folder / "revoked.crl"

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        """The office's key that gates pin."""
        return read_key_file(self._folder / "signing.key")

    def renew_entrance(self, now: datetime) -> None:
        """Shut out everything that was issued to the office's own programs, once the broker has the new `entrance_file`; and
        give ingest a new certificate."""
        signer = _new_signer("entrance", now)
        replace(self._folder / "entrance.key", key_pem(signer.key), mode=0o600)
        replace(self.entrance_file, signer.certificate.public_bytes(Encoding.PEM))
        self.renew_office(now)

    def renew_office(self, now: datetime) -> None:
        """What ingest shows to the broker, new."""
        identity = self.issue_client(OFFICE, now)
        replace(self._folder / "office.key", identity.key, mode=0o600)
        replace(self._folder / "office.pem", identity.certificate)

    def issue_client(self, name: str, now: datetime) -> Identity:
        """For a gate; or, under a reserved name, for a program of the office's own."""
        return self._issue(name, lambda signer, public: client_certificate(signer, name, public, now))

    def issue_broker(self, hosts: Sequence[str], now: datetime) -> Identity:
        """For the broker, under these names and addresses. Raises AuthorityError for a host that is none."""
        try:
            return self._issue(BROKER, lambda signer, public: server_certificate(signer, BROKER, hosts, public, now))
        except ValueError as error:
            raise AuthorityError(str(error)) from error

    def revoke(self, name: str, now: datetime) -> int:
        """Everything that was issued under this name, at the broker once it has the new list. Returns how many."""
        certificates = list(self._issued(name))
        if not certificates:
            raise AuthorityError(f"{name}: no certificate was ever issued under this name")
        signer = self._signer("authority")
        with self._alone():
            old = x509.load_pem_x509_crl(self.revoked_file.read_bytes())
            new = revocation_list(signer, old, certificates, now)
            replace(self.revoked_file, new.public_bytes(Encoding.PEM))
        return len(certificates)

    def standing(self) -> list[x509.Certificate]:
        """What counts now: the two that sign, then under each name the latest that was not revoked."""
        crl = x509.load_pem_x509_crl(self.revoked_file.read_bytes())
        anchors = (self.certificate_file, self.entrance_file)
        found = [x509.load_pem_x509_certificate(file.read_bytes()) for file in anchors]
        for folder in sorted((self._folder / "issued").iterdir()):
            good = [
                each
                for each in self._issued(folder.name)
                if crl.get_revoked_certificate_by_serial_number(each.serial_number) is None
            ]
            found += sorted(good, key=lambda each: each.not_valid_after_utc)[-1:]
        return found

    def broker_hosts(self) -> list[str]:
        """What the broker's certificate is good for; nothing while it has none."""
        return [host for each in self.standing() if common_name(each) == BROKER for host in host_names(each)]

    def _issue(self, name: str, sign: Issue) -> Identity:
        key = generate_private_key(SECP256R1())
        own = name.startswith(RESERVED) and name != BROKER
        certificate = sign(self._signer("entrance" if own else "authority"), key.public_key())
        pem = certificate.public_bytes(Encoding.PEM)
        folder = self._folder / "issued" / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace(folder / f"{certificate.serial_number:040x}.pem", pem)  # before anybody has it: it can be revoked
        return Identity(pem, key_pem(key))

    def _issued(self, name: str) -> Iterator[x509.Certificate]:
        for file in (self._folder / "issued" / name).glob("*.pem"):
            yield x509.load_pem_x509_certificate(file.read_bytes())

    def _signer(self, name: str) -> Signer:
        key = read_private_key(self._folder / f"{name}.key")
        certificate = x509.load_pem_x509_certificate((self._folder / f"{name}.pem").read_bytes())
        if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise AuthorityError(f"{self._folder}/{name}.key is not the key of {name}.pem")
        return Signer(certificate, key)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two who revoke at the same time must not lose one another's."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _new_signer(name: str, now: datetime) -> Signer:
    key = generate_private_key(SECP256R1())
    return Signer(authority_certificate(key, f"Menshen office {name} {secrets.token_hex(4)}", now), key)


def replace(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Written aside, brought to disk and renamed: there is either the old file or the whole new one."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
