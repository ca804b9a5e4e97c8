"""What a bundle was made of: the packages that its files come from, their licences, and the list of them (SBOM)."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|copyright|authors)[^/]*$", re.IGNORECASE)
TEXTS = Path(__file__).with_name("licences")
# Packages whose metadata names no licence in SPDX's form, or offers several: the one that we use.
CHOSEN = {
    "PySide6-Essentials": "LGPL-3.0-only",
    "shiboken6": "LGPL-3.0-only",
    "opencv-python-headless": "Apache-2.0 AND LGPL-2.1-or-later",
    "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception",  # of it, only its loader is in the bundle
    "tomli-w": "MIT",
    "typing-extensions": "PSF-2.0",
}
# Texts for packages that bring none.
ADDED = {
    "PySide6-Essentials": ("LGPL-3.0.txt", "GPL-3.0.txt"),  # the LGPL is written as an addition to the GPL
    "shiboken6": ("LGPL-3.0.txt", "GPL-3.0.txt"),
}
MODEL_LICENCE = "Research and non-commercial use only: learned from face pictures that are free for research only"


@dataclass(frozen=True)
class Part:
    """A package that files of the bundle come from.

    Attributes:
        kind: `pypi`, `deb` or `generic`, as in package URLs.
        licence: an SPDX expression, or in words.
        texts: files with its licence.
    """

    kind: str
    name: str
    version: str
    licence: str
    texts: tuple[Path, ...]


def sources(work: Path) -> list[Path]:
    """Return the files that PyInstaller put into the bundle, modules in its archive included, by its own lists.

    Args:
        work: its folder of work, `--workpath` and the name of the spec.
    """
    found = set()
    for name in ("COLLECT-00.toc", "PYZ-00.toc"):
        for group in ast.literal_eval((work / name).read_text(encoding="utf-8")):
            if isinstance(group, list):
                found |= {
                    Path(entry[1]) for entry in group if isinstance(entry, tuple) and len(entry) == 3 and entry[1]
                }
    return sorted(file for file in found if file.is_absolute() and file.exists() and not file.is_relative_to(work))


def parts(files: list[Path], root: Path) -> list[Part]:
    """Return the packages that files come from, by name; `root` holds our own, which are left out.

    Raises:
        ValueError: no package is known for a file, or no licence for a package.
    """
    owners = {
        Path(str(owner.locate_file(file))).resolve(): owner for owner in distributions() for file in owner.files or ()
    }
    places = {key: Path(sysconfig.get_path(key)).resolve() for key in ("purelib", "stdlib")}
    prefix = Path(sys.base_prefix).resolve()
    found, unknown = {"Python": _python()}, []
    for file in (file.resolve() for file in files):
        owner = owners.get(file)
        if owner is not None:
            name = owner.metadata["Name"].replace("_", "-")
            if name != "understudy" and name not in found:
                found[name] = _wheel(owner)
        elif file.is_relative_to(places["purelib"]):
            unknown.append(file)
        elif (
            not file.is_relative_to(root)
            and not file.is_relative_to(prefix)
            and not file.is_relative_to(places["stdlib"])
        ):
            part = _system(file)
            if part is None:
                unknown.append(file)
            else:
                found[part.name] = part
    if unknown:
        raise ValueError(f"No package is known for {', '.join(map(str, unknown))}")
    without = [part.name for part in found.values() if not part.texts]
    if without:
        raise ValueError(f"No text of a licence was found for {', '.join(without)}")
    found["pyinstaller"] = _wheel(distribution("pyinstaller"))
    return sorted(found.values(), key=lambda part: part.name.casefold())


def _wheel(owner: Distribution) -> Part:
    name = owner.metadata["Name"].replace("_", "-")
    texts = [Path(str(owner.locate_file(file))) for file in owner.files or () if LICENCE_FILE.search(file.name)]
    texts = [file for file in texts if file.suffix not in (".py", ".pyc") and file.is_file()]
    values = owner.metadata.json
    stated = str(values.get("license_expression") or values.get("license") or "")
    classified = [line for line in owner.metadata.get_all("Classifier") or () if line.startswith("License")]
    words = stated.splitlines()[0] if stated else (classified[-1].rpartition(":: ")[2] if classified else "")
    added = [TEXTS / file for file in ADDED.get(name, ())]
    return Part("pypi", name, owner.version, CHOSEN.get(name) or words, (*texts, *added))


def _python() -> Part:
    candidates = (Path(sysconfig.get_path("stdlib"), "LICENSE.txt"), Path(sys.base_prefix, "LICENSE.txt"))
    return Part(
        "generic",
        "Python",
        platform.python_version(),
        "PSF-2.0",
        tuple(file for file in candidates if file.is_file())[:1],
    )


def _system(file: Path) -> Part | None:
    """Return the package of Debian that a library comes from; None where there is none, or no Debian."""
    if shutil.which("dpkg-query") is None:
        return None
    for name in (str(file), str(file).removeprefix("/usr")):  # packages of before the two were merged
        found = subprocess.run(
            ["dpkg-query", "--search", name], capture_output=True, text=True, check=False, timeout=60
        )
        if found.returncode == 0:
            package = found.stdout.partition(": ")[0].partition(",")[0]
            break
    else:
        return None
    shown = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Version}", package],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    plain = package.partition(":")[0]
    copyright_file = Path("/usr/share/doc", plain, "copyright")
    return Part(
        "deb", plain, shown.stdout, "see its file copyright", (copyright_file,) if copyright_file.is_file() else ()
    )


def copy_licences(found: list[Part], folder: Path) -> None:
    """Copy the licences of all packages into a folder, each into its own, and list them in README.txt."""
    lines = [
        "Understudy is under the Apache License 2.0 (LICENSE.txt beside this folder). Its models are for research and",
        "non-commercial use only. The parts by others, each with its licence in the folder of its name:",
        "",
    ]
    for part in found:
        target = folder / part.name
        target.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(part.texts):
            place = target / text.name
            shutil.copyfile(text, place if not place.exists() else target / f"{number} {text.name}")
        lines.append(f"{part.name} {part.version}: {part.licence}")
    lines += [
        "",
        "Qt, PySide6 and FFmpeg are under the GNU Lesser General Public License. Their libraries are files of",
        "their own in the folder _internal, and you may replace them by your own build of the same version. Their",
        "source code: download.qt.io (Qt and PySide6), ffmpeg.org (FFmpeg), and github.com/opencv/opencv-python",
        "(how FFmpeg was built). The loader that starts the program is PyInstaller's, under the GPL with an exception",
        "by which it may be part of any program.",
        "",
    ]
    (folder / "README.txt").write_text("\n".join(lines), encoding="utf-8")


def write_sbom(found: list[Part], version: str, models: list[Path], target: Path) -> None:
    """Write the list of a bundle's parts in the form CycloneDX 1.6, JSON.

    Args:
        found: the packages.
        version: of Understudy.
        models: `.tflite` files of ours.
        target: the file.
    """
    licences = LicenseFactory()
    own = Component(
        name="understudy", version=version, type=ComponentType.APPLICATION, bom_ref="understudy",
        licenses=[licences.make_from_string("Apache-2.0")],
    )  # fmt: skip
    bom = Bom()
    bom.metadata.component = own
    bom.metadata.tools.components.add(this_component())
    for part in found:
        bom.components.add(
            Component(
                name=part.name,
                version=part.version,
                type=ComponentType.LIBRARY,
                bom_ref=f"{part.kind}:{part.name}",
                purl=PackageURL(part.kind, "debian" if part.kind == "deb" else None, part.name, part.version),
                licenses=[licences.make_from_string(part.licence)] if part.licence else [],
            )
        )
    for model in models:
        checksum = HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(model.read_bytes()).hexdigest())
        detector = not model.with_suffix(".json").is_file()
        licence = licences.make_from_string("Apache-2.0") if detector else licences.make_with_name(MODEL_LICENCE)
        bom.components.add(
            Component(
                name=model.stem,
                version=version,
                type=ComponentType.MACHINE_LEARNING_MODEL,
                bom_ref=f"model:{model.stem}",
                hashes=[checksum],
                licenses=[licence],
            )
        )
    bom.register_dependency(own, list(bom.components))
    text = JsonV1Dot6(bom).output_as_string()
    target.write_text(json.dumps(json.loads(text), indent=1), encoding="utf-8")
