"""Who signs: a key and its certificates, the user's or mien's own, which are made on first use.

The C2PA specification takes no certificate that signs itself: the signer's must be issued by another one and be meant
for signing. So two are made, and the issuer's key is forgotten as soon as the signer's certificate is signed.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mien.errors import SettingError, reason_of
from mien.machine.atomic import NO_LINKS, write_atomically
from mien.machine.folders import user_credentials

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
    from cryptography.x509 import Certificate, CertificateBuilder, Name

FILE: Final = "signing.pem"
"""mien's own key and certificates, which only their owner may read."""
PUBLIC: Final = "certificate.pem"
"""The certificates alone, to be given to others: `mien verify --trust` takes them."""
DAYS: Final = 3653
"""How long mien's own certificates last: without a time stamp a signature lasts as long as they."""
RENEWED: Final = 30
"""Days before their end from which on new ones are made."""
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """A key and its certificates."""

    key: PrivateKeyTypes = field(repr=False)
    chain: tuple[Certificate, ...]
    """The signer's first, then that of whoever issued it, and so on."""
    own: bool
    """Whether mien made them itself."""

    @property
    def algorithm(self) -> str:
        """Of the signature, by its name in RFC 7518 and 8037."""
        return _algorithm_of(self.key)

    def chain_pem(self) -> bytes:
        """The certificates."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return b"".join(one.public_bytes(Encoding.PEM) for one in self.chain)

    def key_pem(self) -> bytes:
        """The key itself, for the library that signs and for nothing else."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def given(key: str, chain: str) -> Identity:
    """The user's own: PEM files of a private key and of its certificates, the signer's first.

    Raises:
        SettingError: one of them cannot be read, is none, has a password, or does not belong to the other. What is in
            the key's file is never told.
    """
    read = _key_in(_read(key, "--sign"), f"--sign {key}")
    certificates = _chain_in(_read(chain, "--cert"), f"--cert {chain}")
    if not _fits(read, certificates[0]):
        raise SettingError(f"--cert {chain}: expected the certificate of the key {key} first, got another one's")
    _algorithm_of(read)
    return Identity(read, certificates, own=False)


def own() -> Identity:
    """mien's own, from the user's folder; made where there is none, or none that lasts. Without a folder that can be
    written they are for this run alone.

    Raises:
        SettingError: what is there cannot be read, or is damaged.
    """
    folder = user_credentials()
    if folder is None:
        return _of_this_run()
    path = folder / FILE
    found = _kept(path)
    if found is not None and _lasts(found.chain[0]):
        _publish(found, folder)
        return found
    with contextlib.suppress(OSError):
        return _keep(path, replace=found is not None)
    return _of_this_run()


def own_chain() -> tuple[Certificate, ...]:
    """mien's own certificates; none where there are none yet, or none that can be read."""
    folder = user_credentials()
    with contextlib.suppress(SettingError):
        return () if folder is None else certificates_in(folder / PUBLIC)  # who reads a file needs no key
    return ()


def certificates_in(path: str | os.PathLike[str]) -> tuple[Certificate, ...]:
    """Those of a PEM file.

    Raises:
        SettingError: it cannot be read, or holds none.
    """
    return _chain_in(_read(path, "--trust"), f"--trust {os.fspath(path)}")


def _kept(path: Path) -> Identity | None:
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if not _is_there(path):
            return None
        raise SettingError(
            f"{path}: expected mien's own key, got an error ({reason_of(error)}); change its permissions, delete it, "
            "or give --no-credentials"
        ) from None
    return Identity(_key_in(data, str(path)), _chain_in(data, str(path)), own=True)


def _is_there(path: Path) -> bool:
    """Whether it is; not where its folder may not be entered."""
    try:
        path.stat()
    except OSError:
        return False
    return True


def _keep(path: Path, *, replace: bool) -> Identity:
    """Write a new identity, and give back the one that is there then: of two processes at once the first one's.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = _made()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made.key_pem() + made.chain_pem())
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(draft, path)
        else:
            _link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    kept = _kept(path) or made
    _publish(kept, path.parent)
    return kept


def _link(draft: Path, path: Path) -> None:
    """Give a draft its name, unless another process has taken it."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if not path.exists():
            os.replace(draft, path)


def _publish(kept: Identity, folder: Path) -> None:
    """Write the certificates for others, where they are not there yet."""
    with contextlib.suppress(OSError):
        if not (folder / PUBLIC).is_file() or (folder / PUBLIC).read_bytes() != kept.chain_pem():
            write_atomically(folder / PUBLIC, kept.chain_pem())


@functools.cache
def _of_this_run() -> Identity:
    """Where none can be kept: all files of a run have the same one."""
    return _made()


def _made() -> Identity:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509 import BasicConstraints, ExtendedKeyUsage
    from cryptography.x509.oid import ExtendedKeyUsageOID

    issuer, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = f"mien {secrets.token_hex(4)}"  # it tells installations apart, and nobody's name
    root = _builder(f"{name}, issuer", f"{name}, issuer", issuer.public_key(), issuer.public_key(), issues=True)
    root = root.add_extension(BasicConstraints(ca=True, path_length=0), critical=True)
    leaf = _builder(name, f"{name}, issuer", signer.public_key(), issuer.public_key(), issues=False)
    leaf = leaf.add_extension(BasicConstraints(ca=False, path_length=None), critical=True)
    # of the uses that C2PA readers accept without a trust list, the one that libraries know
    leaf = leaf.add_extension(ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    chain = leaf.sign(issuer, hashes.SHA256()), root.sign(issuer, hashes.SHA256())
    return Identity(signer, chain, own=True)


def _builder(
    subject: str, issuer: str, public: PublicKeyTypes, issuing: PublicKeyTypes, *, issues: bool
) -> CertificateBuilder:
    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(not issues, False, False, False, False, issues, issues, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(_named(issuer))
        .public_key(public)  # type: ignore[arg-type]  # of the kinds that certificates may have
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)  # type: ignore[arg-type]
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing), critical=False)  # type: ignore[arg-type]
    )


def _named(name: str) -> Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    # readers show the organisation, and some refuse a certificate without one
    words = ((NameOID.ORGANIZATION_NAME, "mien, self-signed"), (NameOID.COMMON_NAME, name))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in words])


def _lasts(certificate: Certificate) -> bool:
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    return left > datetime.timedelta(days=RENEWED)


def _read(path: str | os.PathLike[str], option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingError(
            f"{option} {os.fspath(path)}: expected a file that can be read, got an error ({reason_of(error)})"
        ) from None


def _key_in(data: bytes, name: str) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # whose words are not repeated
        raise SettingError(
            f"{name}: expected a private key (PEM) without a password, got none; take its password off"
        ) from None


def _chain_in(data: bytes, name: str) -> tuple[Certificate, ...]:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return tuple(load_pem_x509_certificates(data))
    except ValueError:
        raise SettingError(f"{name}: expected certificates (PEM), got none that can be read; check the file") from None


def _fits(key: PrivateKeyTypes, certificate: Certificate) -> bool:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    ours, theirs = (
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for public in (key.public_key(), certificate.public_key())
    )
    return ours == theirs


def _algorithm_of(key: PrivateKeyTypes) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey):
        return "PS256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "EdDSA"
    raise SettingError("--sign: expected a key of the kinds EC (P-256, P-384, P-521), RSA or Ed25519, got another kind")
