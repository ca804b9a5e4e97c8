"""Makes the bundle, `dist/understudy/`, with its archives: python packaging/build.py, see docs/bundle.md.

Needs the extra `[bundle]` in the environment that it runs in. What it makes is for this system and this processor.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "packaging"), str(ROOT)]

import archives  # noqa: E402
import contents  # noqa: E402
import libraries  # noqa: E402

from engine.core.manifest import write_manifest  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINUX, MACOS = sys.platform.startswith("linux"), sys.platform == "darwin"
LARGEST_FOLDER, LARGEST_XZ = 380_000_000, 160_000_000  # bytes of the bundle, unpacked and as .tar.xz
LARGEST_MODEL = 20_000_000  # as in the spec
FORMATS = ("tar.gz", "tar.xz", "deb") if LINUX else ("zip",)
# What the loader needs, or Python before the first module of ours, so that the self-test could not name it.
FIRST_PARTS = r"understudy-bin|_internal/(base_library\.zip|libpython.*\.so.*|python3\.\d+/lib-dynload/.*\.so)"
SELF_TEST_TIMEOUT = 1800.0  # seconds


class BuildError(Exception):
    """The bundle cannot be made, or is not as it has to be; its text is a sentence that says why and what to do."""


def main() -> int:
    """Build, check, pack; return the exit code."""
    parser = argparse.ArgumentParser(description="Make the bundle, check it, and pack it.")
    parser.add_argument(
        "--formats", nargs="*", choices=FORMATS, default=FORMATS, help="archives to make (default: all)"
    )
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="where the bundle is made (default: dist)")
    parser.add_argument("--work", type=Path, default=ROOT / "build", help="for what lies in between (default: build)")
    options = parser.parse_args()
    dist, work = options.dist.resolve(), options.work.resolve()
    try:
        folder = build(dist, work)
        check(folder)
        pack(folder, dist, work, options.formats)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def build(dist: Path, work: Path) -> Path:
    """Let PyInstaller make the bundle, and add launcher, licences, the list of its parts and that of its files.

    Returns: its folder; on macOS the application.
    """
    if version("understudy") != PROJECT["version"]:
        raise BuildError(
            f"Understudy {version('understudy')} is installed here, and this is {PROJECT['version']}: "
            "run “pip install -e .[bundle] -c packaging/constraints.txt” again."
        )
    draw_icons(ROOT / "build" / "icons")
    say("PyInstaller collects what is needed")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    places = ["--distpath", str(dist), "--workpath", str(work), str(ROOT / "packaging" / "understudy.spec")]
    if subprocess.run([*command, *places], check=False, cwd=ROOT).returncode:
        raise BuildError("PyInstaller failed, see above.")
    folder = dist / ("Understudy.app/Contents" if MACOS else "understudy")
    documents = folder / "Resources" if MACOS else folder
    try:
        found = contents.parts(contents.sources(work / "understudy"), ROOT)
    except ValueError as error:
        raise BuildError(f"{error}. Add it to packaging/contents.py.") from error
    contents.copy_licences(found, documents / "licences")
    models = sorted(inside(folder).joinpath("assets", "models").glob("*.tflite"))
    contents.write_sbom(found, PROJECT["version"], models, documents / "sbom.cdx.json")
    shutil.copyfile(ROOT / "LICENSE", documents / "LICENSE.txt")
    shutil.copyfile(ROOT / "assets" / "README.md", documents / "licences" / "assets.md")
    if LINUX:
        strip_python(folder)
        add_linux_files(folder)
    write_manifest(inside(folder))
    return folder


def inside(folder: Path) -> Path:
    """Return the folder of libraries, modules and assets in the bundle."""
    return folder / ("Frameworks" if MACOS else "_internal")


def strip_python(folder: Path) -> None:
    """Take what only debuggers need out of Python's own libraries; those of wheels break by that."""
    own = [*inside(folder).glob("libpython3*.so*"), *inside(folder).glob("python3.*/lib-dynload/*.so")]
    subprocess.run(["strip", "--strip-debug", *map(str, own)], check=True)


def draw_icons(folder: Path) -> None:
    """Draw the icon as `.png`, `.ico` and `.icns`."""
    from PIL import Image
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    folder.mkdir(parents=True, exist_ok=True)
    for name, side in (("large", 1024), ("understudy", 256)):
        picture = QImage(side, side, QImage.Format.Format_ARGB32)
        picture.fill(0)
        painter = QPainter(picture)
        QSvgRenderer(str(ROOT / "packaging" / "understudy.svg")).render(painter)
        painter.end()
        picture.save(str(folder / f"{name}.png"))
    with Image.open(folder / "large.png") as large:
        large.save(folder / "understudy.icns")
        large.save(folder / "understudy.ico", sizes=[(side, side) for side in (16, 32, 48, 64, 128, 256)])


def add_linux_files(folder: Path) -> None:
    """Add the launcher, and what desktops show of the program."""
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))
    first = [name for name in names if re.fullmatch(FIRST_PARTS, name)]
    major, minor = libraries.glibc(file for file in folder.rglob("*") if libraries.is_library(file))
    values = {"GLIBC": f"{major}.{minor}", "MACHINE": platform.machine(), "PARTS": " ".join(first)}
    launcher = folder / "understudy"
    launcher.write_text(
        filled((ROOT / "packaging" / "launcher.sh").read_text(encoding="utf-8"), values), encoding="utf-8"
    )
    launcher.chmod(0o755)
    share = folder / "share"
    share.mkdir(exist_ok=True)
    for file in (ROOT / "packaging" / "linux").iterdir():
        day = datetime.fromtimestamp(moment(), UTC).date().isoformat()
        text = filled(file.read_text(encoding="utf-8"), {"VERSION": PROJECT["version"], "DATE": day})
        (share / file.name).write_text(text, encoding="utf-8")
    shutil.copyfile(ROOT / "packaging" / "understudy.svg", share / "understudy.svg")
    shutil.copyfile(ROOT / "build" / "icons" / "understudy.png", share / "understudy.png")


def filled(text: str, values: dict[str, str]) -> str:
    """Replace what stands between @ signs, where there is a value for it."""
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def moment() -> int:
    """Return the time that files in archives get, in seconds since 1970: that of the commit, where git is there."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    try:
        command = ["git", "log", "-1", "--format=%ct"]
        return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30).stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return int(time.time())


def check(folder: Path) -> None:
    """Check size, licences and what is left to the system, and run the bundle's self-test.

    Raises:
        BuildError: something is not as it has to be.
    """
    say("checking licences and libraries")
    wrong = libraries.gpl_parts(folder)
    if LINUX:
        known = system_libraries()
        for name, users in libraries.left_to_system(folder).items():
            if name not in known:
                wrong.append(
                    f"{name}, which {', '.join(users)} needs, is not in the bundle: install its package on this "
                    "machine, or enter it into packaging/system-libraries.txt."
                )
    size = size_of(folder)
    if size > LARGEST_FOLDER:
        wrong.append(f"The bundle has {size / 1e6:.0f} MB, and may have {LARGEST_FOLDER / 1e6:.0f} MB.")
    if wrong:
        raise BuildError("\n".join(wrong))
    say(f"{size / 1e6:.0f} MB; self-test of the bundle")
    program = folder / ("MacOS/understudy" if MACOS else "understudy.exe" if sys.platform == "win32" else "understudy")
    if subprocess.run([program, "--self-test"], check=False, cwd=folder, timeout=SELF_TEST_TIMEOUT).returncode:
        raise BuildError("The bundle fails its self-test, see above.")


def system_libraries() -> dict[str, str]:
    """Return the libraries that are left to the system, each with Debian's package or packages."""
    text = (ROOT / "packaging" / "system-libraries.txt").read_text(encoding="utf-8")
    return dict(line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))


def size_of(folder: Path) -> int:
    """Return the bytes of all files of a folder, links not counted."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def pack(folder: Path, dist: Path, work: Path, formats: list[str]) -> None:
    """Write the archives, one of the large models, and the checksums of them all.

    Raises:
        BuildError: an archive is too large.
    """
    system = {"linux": "linux", "darwin": "macos", "win32": "windows"}[sys.platform]
    stem = f"understudy-{PROJECT['version']}-{system}-{platform.machine().lower()}"
    made = []
    for form in formats:
        say(f"packing {stem}.{form}")
        if form == "deb":
            machine = archives.MACHINES.get(platform.machine(), platform.machine())
            target = dist / f"understudy_{PROJECT['version']}_{machine}.deb"
            made.append(archives.deb(folder, work / "deb", target, control(folder, machine), moment()))
        elif form == "zip":
            whole = folder.parent if MACOS else folder
            made.append(archives.zipped(whole, dist / f"{stem}.zip", moment()))
        else:
            made.append(archives.tar(folder, dist / f"{stem}.{form}", moment()))
    large = [file for file in (ROOT / "assets" / "models").glob("*.tflite") if file.stat().st_size > LARGEST_MODEL]
    if large and formats:
        extra = work / "understudy-large-models"
        shutil.rmtree(extra, ignore_errors=True)
        extra.mkdir(parents=True)
        for file in large:
            shutil.copyfile(file, extra / file.name)
            shutil.copyfile(file.with_suffix(".json"), extra / f"{file.stem}.json")
        made.append(archives.zipped(extra, dist / f"understudy-{PROJECT['version']}-large-models.zip", moment()))
    for file in made:
        say(f"{file.stat().st_size / 1e6:6.1f} MB  {file.name}")
        if file.suffix == ".xz" and file.stat().st_size > LARGEST_XZ:
            raise BuildError(f"{file.name} has more than {LARGEST_XZ / 1e6:.0f} MB.")
    if made:
        archives.write_checksums(made)


def control(folder: Path, machine: str) -> dict[str, str]:
    """Return the description of Debian's package: what it needs of the system follows from the bundle's libraries."""
    needed = libraries.left_to_system(folder)
    packages = sorted({package for name, package in system_libraries().items() if name in needed})
    glibc = re.search(r"^needed=(.+)$", (folder / "understudy").read_text(encoding="utf-8"), re.MULTILINE)
    assert glibc is not None
    return {
        "Package": "understudy",
        "Version": PROJECT["version"],
        "Architecture": machine,
        "Maintainer": "The Understudy authors <nobody@localhost>",
        "Section": "science",
        "Priority": "optional",
        "Depends": ", ".join([f"libc6 (>= {glibc[1]})", *packages]),
        "Recommends": "xkb-data, fonts-dejavu-core",
        "Suggests": "ffmpeg",
        "Description": f"{PROJECT['description']}\n The program is free software; the models that it brings are for "
        "research and\n non-commercial use only.",
    }


def say(text: str) -> None:
    """Write a line to the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
