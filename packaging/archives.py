"""Archives of a bundle: .tar.gz, .tar.xz, .zip and the package of Debian; always the same bytes for the same files."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import shutil
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}  # Debian's names


def tar(folder: Path, target: Path, moment: int) -> Path:
    """Write a folder, under its own name, into a `.tar.gz` or `.tar.xz`.

    Args:
        folder: what is packed.
        target: the archive.
        moment: in seconds since 1970, which all files get.
    """

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = moment
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    # The header of gzip has a time too, which tarfile itself sets to the present.
    with (
        gzip.GzipFile(target, "wb", mtime=moment) if target.suffix == ".gz" else lzma.LZMAFile(target, "wb") as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        archive.add(folder, folder.name, filter=plain)
    return target


def zipped(folder: Path, target: Path, moment: int) -> Path:
    """Write a folder, under its own name, into a `.zip` that keeps links; arguments as those of `tar`."""
    when = datetime.fromtimestamp(moment, UTC).timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_symlink() or file.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder.parent).as_posix(), when)
            entry.create_system = 3  # Unix, whose modes these are; elsewhere links would be unpacked as files
            entry.external_attr = (file.lstat().st_mode & 0xFFFF) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            if file.is_symlink():
                archive.writestr(entry, file.readlink().as_posix())
                continue
            with file.open("rb") as stream, archive.open(entry, "w") as packed:
                shutil.copyfileobj(stream, packed)
    return target


def deb(folder: Path, work: Path, target: Path, control: dict[str, str], moment: int) -> Path:
    """Write a bundle into a package of Debian, which puts it into `/usr/lib/understudy` and a link on the path.

    Args:
        folder: the bundle.
        work: a folder for what is put together; made new.
        target: the package.
        control: fields of its description.
        moment: as of `tar`.
    """
    shutil.rmtree(work, ignore_errors=True)
    place, share = work / "usr" / "lib" / "understudy", work / "usr" / "share"
    shutil.copytree(folder, place, symlinks=True)
    (work / "usr" / "bin").mkdir(parents=True)
    (work / "usr" / "bin" / "understudy").symlink_to("../lib/understudy/understudy")
    moves = {
        "understudy.desktop": "applications",
        "org.understudy.Understudy.metainfo.xml": "metainfo",
        "understudy.svg": "icons/hicolor/scalable/apps",
        "understudy.png": "icons/hicolor/256x256/apps",
    }
    for name, target_folder in moves.items():
        (share / target_folder).mkdir(parents=True)
        shutil.copy2(place / "share" / name, share / target_folder / name)
    (share / "doc" / "understudy").mkdir(parents=True)
    shutil.copy2(place / "LICENSE.txt", share / "doc" / "understudy" / "copyright")
    size = sum(file.lstat().st_size for file in work.rglob("*")) // 1024
    fields = {**control, "Installed-Size": str(size)}
    (work / "DEBIAN").mkdir()
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    (work / "DEBIAN" / "control").write_text(text, encoding="utf-8")
    for file in (work, *work.rglob("*")):
        if not file.is_symlink():
            file.chmod(0o755 if file.is_dir() or file.stat().st_mode & 0o100 else 0o644)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(moment)}
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(work), str(target)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    shutil.rmtree(work)
    return target


def write_checksums(files: list[Path]) -> Path:
    """Write the SHA-256 of files of one folder beside them, as `sha256sum --check` reads it; return the list."""
    target = files[0].with_name("SHA256SUMS.txt")
    lines = []
    for file in sorted(files):
        with file.open("rb") as stream:
            lines.append(f"{hashlib.file_digest(stream, 'sha256').hexdigest()}  {file.name}\n")
    target.write_text("".join(lines), encoding="utf-8")
    return target
