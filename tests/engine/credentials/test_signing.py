"""Content credentials: what files carry, who signs them, and that a key shows nowhere."""

from __future__ import annotations

import datetime
import io
import json
import logging
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import ExifTags, Image

from mien import samples
from mien.cli import main
from mien.config import CredentialSettings
from mien.credentials import opening
from mien.credentials.claim import COMPOSITE, COMPUTED, Claim, ingredients
from mien.credentials.identity import FILE, PUBLIC, own, own_chain
from mien.credentials.opening import open_credentials
from mien.credentials.reading import read
from mien.credentials.signing import LARGE, Credentials
from mien.errors import SettingError
from mien.machine.folders import user_credentials
from mien.provenance import Provenance, hash_file
from mien.styling import style_file

MADE = ("reenact", "sample:mira", "--driver", "sample:driver", "--duration", "0.1", "--model", "warp", "--size", "128")
MORPH = ("morph", "sample:mira", "sample:teo", "--size", "128", "--quiet")


USES = {"of a server": ExtendedKeyUsageOID.SERVER_AUTH}


def key_and_chain(
    folder: Path, *, use: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION
) -> tuple[Path, Path]:
    """A user's key, and certificates that fit it."""
    key, issuing = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    name, issuer = (
        x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text), x509.NameAttribute(NameOID.COMMON_NAME, text)])
        for text in ("Studio", "Authority")
    )
    leaf = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key()), critical=False)
        .sign(issuing, hashes.SHA256())
    )
    places = folder / "key.pem", folder / "chain.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    places[0].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    places[1].write_bytes(leaf.public_bytes(pem))
    return places


def test_a_video_says_how_it_was_made_and_is_still_the_same_video(tmp_path: Path) -> None:
    signed, plain = tmp_path / "signed.mp4", tmp_path / "plain.mp4"
    common = [*MADE, "--quiet", "--no-invisible-mark"]
    assert main([*common, "--consent", "of nobody", "--output", str(signed)]) == 0
    assert main([*common, "--no-credentials", "--output", str(plain)]) == 0
    found = read(signed)
    assert found is not None
    assert found.run is not None
    assert (found.changed, found.signer.ours, found.consent) == ((), True, "of nobody")
    assert (found.run["command"], found.run["model"]) == ("reenact", "warp")
    assert read(plain) is None
    pictures = []
    for path in (signed, plain):
        with av.open(str(path)) as container:
            pictures.append([frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)])
    assert pictures[0] == pictures[1]
    assert not list(tmp_path.glob(".*"))


def test_actions_and_ingredients_tell_what_was_used(tmp_path: Path) -> None:
    portrait = samples.portraits()["mira"]
    used = ingredients([("portrait", portrait), ("driver", "camera:0"), ("source", None)])
    assert [(one.role, one.sha256, one.format) for one in used] == [("portrait", hash_file(portrait), "image/jpeg")]
    claim = Claim(Provenance("1", "m", (), "s"), "style", True, used, edited=True)
    manifest = claim.manifest()
    assert manifest["ingredients"][0]["relationship"] == "parentOf"
    actions = manifest["assertions"][0]["data"]["actions"]
    assert [one["action"] for one in actions] == ["c2pa.opened", "c2pa.edited"]
    assert actions[1]["digitalSourceType"] == COMPOSITE
    assert str(portrait) not in json.dumps(manifest)
    assert portrait.name not in json.dumps(manifest)


@pytest.mark.parametrize("name", ["between.png", "between.jpg"])
def test_pictures_carry_them_with_small_pictures_only_by_choice(tmp_path: Path, name: str) -> None:
    small, plain = tmp_path / name, tmp_path / f"plain-{name}"
    assert main([*MORPH, "--output", str(plain)]) == 0
    assert main([*MORPH, "--thumbnails", "--output", str(small)]) == 0
    for path in (small, plain):
        found = read(path)
        assert found is not None
        assert not found.changed
        assert COMPUTED.encode() in path.read_bytes()
    assert b"c2pa.thumbnail" in small.read_bytes()
    assert b"c2pa.thumbnail" not in plain.read_bytes()


def test_what_cannot_carry_them_is_written_without_unless_they_were_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, (key, chain) = tmp_path / "out.mkv", key_and_chain(tmp_path)
    assert main([*MADE, "--quiet", "--output", str(output)]) == 0
    assert read(output) is None
    assert capsys.readouterr().err == ""
    assert main([*MADE, "--sign", str(key), "--cert", str(chain), "--output", str(output)]) == 2
    assert "--sign: expected an output among .mp4" in capsys.readouterr().err


def test_without_the_library_one_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    assert main([*MADE, "--quiet", "--output", str(tmp_path / "out.mp4")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"mien: warning: {opening.LACKING}"]
    assert read(tmp_path / "out.mp4") is None


def test_a_file_that_cannot_be_signed_is_kept(tmp_path: Path) -> None:
    told: list[str] = []
    credentials = open_credentials(CredentialSettings(), lambda: CLAIM, "out.png", told.append)
    assert credentials is not None
    assert credentials.signed(b"no picture", "image/png", "out.png") == b"no picture"
    (tmp_path / "in.mp4").write_bytes(b"no video")
    assert not credentials.sign(tmp_path / "in.mp4", tmp_path / "out.mp4", "out.mp4")
    assert len(told) == 2
    assert all("it has no content credentials" in line for line in told)


def test_of_many_pictures_an_error_is_told_once_and_each_small_picture_is_made_once(tmp_path: Path) -> None:
    source, told = tmp_path / "turned.jpg", list[str]()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (64, 32)).save(source, exif=exif)
    used = ingredients([("portrait", source)], thumbnails=True)
    credentials = Credentials(replace(CLAIM, ingredients=used), own(), told.append)
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    first = credentials.signed(picture.getvalue(), "image/png", "%d.png")
    source.unlink()
    second = credentials.signed(picture.getvalue(), "image/png", "%d.png")
    for data in (first, second):
        small = data[data.index(b"\xff\xd8\xff") :]
        with Image.open(io.BytesIO(small)) as made:
            assert made.size == (32, 64)
    assert told == []
    for _ in range(2):
        assert credentials.signed(b"no picture", "image/png", "%d.png") == b"no picture"
    assert len(told) == 1


CLAIM = Claim(Provenance("1", "warp", (), "s"), "test", True)


def test_the_key_of_the_machine_is_its_owners_alone_and_stays_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    first, second = own(), own()
    assert first.chain == second.chain
    folder = user_credentials()
    assert folder is not None
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert b"PRIVATE" not in (folder / PUBLIC).read_bytes()
    assert "PRIVATE" not in repr(first)
    (folder / PUBLIC).unlink()
    assert own_chain() == ()
    own()
    assert own_chain() == first.chain
    (folder / FILE).write_bytes(b"spoilt")
    with pytest.raises(SettingError, match="expected a private key"):
        own()


def test_the_users_key_signs_and_shows_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    output, (key, chain) = tmp_path / "out.png", key_and_chain(tmp_path)
    assert main([*MORPH, "--sign", str(key), "--cert", str(chain), "--output", str(output)]) == 0
    found = read(output)
    assert found is not None
    assert (found.signer.name, found.signer.trusted, found.changed) == ("Studio", False, ())
    secret = [line for line in key.read_text().splitlines() if not line.startswith("-")]
    said = capsys.readouterr()
    written = output.read_bytes().decode("latin-1")
    assert not any(line in text for line in secret for text in (said.out, said.err, caplog.text, written))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("alone", "--sign and --cert: expected both or neither"),
        ("missing", "no such file"),
        ("no key", "expected a private key (PEM) without a password, got none"),
        ("another's", "expected the certificate of the key"),
        ("of a server", "expected certificates that C2PA allows for signing, got others"),
    ],
)
def test_keys_that_cannot_sign_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str, told: str
) -> None:
    key, chain = key_and_chain(tmp_path, use=USES.get(wrong, ExtendedKeyUsageOID.EMAIL_PROTECTION))
    if wrong == "another's":
        (tmp_path / "other").mkdir()
        chain = key_and_chain(tmp_path / "other")[1]
    if wrong == "missing":
        key.unlink()
    secret = key.read_text().splitlines()[1] if key.exists() else "PRIVATE"
    given = ["--sign", str(chain if wrong == "no key" else key), *([] if wrong == "alone" else ["--cert", str(chain)])]
    assert main([*MORPH, *given, "--output", str(tmp_path / "out.png")]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert secret not in said
    assert not (tmp_path / "out.png").exists()


def test_long_files_are_hashed_in_parts_and_not_held_in_memory(tmp_path: Path) -> None:
    """In a process of its own: what it used at most is that of the whole process."""
    large = tmp_path / "large.mp4"
    with samples.driver().open("rb") as file:
        video = file.read()
    padding, at = 3 * LARGE, video.index(b"mdat") - 4
    size = len(video) - at
    assert int.from_bytes(video[at : at + 4], "big") == size  # the last box, which is made longer
    large.write_bytes(video[:at] + (size + padding).to_bytes(4, "big") + video[at + 4 :])
    with large.open("r+b") as file:
        file.truncate(len(video) + padding)
    code = (
        "import resource, sys; from pathlib import Path; from tests.engine.credentials.test_signing import signing\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert signing(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    output = tmp_path / "signed.mp4"
    done = subprocess.run(
        [sys.executable, "-c", code, str(large), str(output)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert int(done.stdout) << 10 < LARGE
    found = read(output)
    assert found is not None
    assert not found.changed


def signing(source: Path, output: Path) -> bool:
    """For the test above."""
    credentials = Credentials(CLAIM, own(), print)
    return credentials.sign(source, output, output.name)


def test_a_picture_in_a_style_names_what_it_was_made_from(tmp_path: Path) -> None:
    source, output = samples.portraits()["mira"], tmp_path / "wave.jpg"
    statistics = style_file(source, output, "wave", threads=1)
    assert statistics.warnings == ()
    found = read(output)
    assert found is not None
    assert found.run is not None
    assert found.run["command"] == "style"
    assert hash_file(source).encode() in output.read_bytes()
