"""The steps of the build that need no PyInstaller, and a whole bundle where one was made."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from engine.core.manifest import is_library

ROOT = Path(__file__).resolve().parents[2]
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what the bundle for Linux has")

FIRST_PARTS = (
    "_internal/base_library.zip", "_internal/libpython3.11.so.1.0", "_internal/python3.11/lib-dynload/_csv.so",
    "understudy-bin",
)  # fmt: skip


@pytest.fixture
def build(load):
    """Return `packaging/build.py`."""
    for name in ("lief", "cyclonedx"):
        pytest.importorskip(name, reason="needs the extra [bundle]")
    return load("build")


@pytest.fixture
def folder(tmp_path):
    """What PyInstaller might have made."""
    made = tmp_path / "understudy"
    (made / "_internal/python3.11/lib-dynload").mkdir(parents=True)
    for name in FIRST_PARTS:
        (made / name).write_bytes(b"content")
    return made


@linux_only
def test_the_launcher_knows_what_this_bundle_needs(build, folder, monkeypatch):
    monkeypatch.setattr(build.libraries, "glibc", lambda files: (2, 35))
    build.draw_icons(ROOT / "build" / "icons")
    build.add_linux_files(folder)
    text = (folder / "understudy").read_text(encoding="utf-8")
    assert f"needed=2.35\nmachine={platform.machine()}\n" in text
    assert f"for part in {' '.join(FIRST_PARTS)}; do" in text
    assert os.access(folder / "understudy", os.X_OK)
    shown = (folder / "share" / "org.understudy.Understudy.metainfo.xml").read_text(encoding="utf-8")
    assert f'<release version="{build.PROJECT["version"]}" date="20' in shown
    assert "@" not in text.replace('"$@"', "").replace("@ signs", "")


@linux_only
def test_what_the_package_of_debian_needs_follows_from_its_libraries(build, folder, monkeypatch):
    (folder / "understudy").write_text("needed=2.35\n")
    left = {"libEGL.so.1": ["libqxcb.so"], "libglib-2.0.so.0": ["libQt6Core.so.6"]}
    monkeypatch.setattr(build.libraries, "left_to_system", lambda _: left)
    fields = build.control(folder, "amd64")
    assert fields["Depends"] == "libc6 (>= 2.35), libegl1, libglib2.0-0t64 | libglib2.0-0"
    assert all("\n\n" not in value for value in fields.values())


@linux_only
def test_a_library_that_nobody_brings_is_named_with_what_to_do(build, folder, monkeypatch):
    monkeypatch.setattr(build.libraries, "left_to_system", lambda _: {"libodd.so.1": ["libqxcb.so"]})
    with pytest.raises(build.BuildError, match=r"libodd\.so\.1, which libqxcb\.so needs, is not in the bundle"):
        build.check(folder)


def test_a_bundle_that_is_too_large_is_refused(build, folder, monkeypatch):
    monkeypatch.setattr(build.libraries, "left_to_system", lambda _: {})
    monkeypatch.setattr(build, "LARGEST_FOLDER", 10)
    with pytest.raises(build.BuildError, match="may have 0 MB"):
        build.check(folder)


def test_another_version_than_that_of_the_source_is_refused(build, monkeypatch, tmp_path):
    monkeypatch.setattr(build, "version", lambda name: "0.0.1")
    with pytest.raises(build.BuildError, match=r"Understudy 0\.0\.1 is installed here, and this is"):
        build.build(tmp_path, tmp_path)


def test_the_limits_are_those_of_the_spec(build):
    assert f"LARGEST_MODEL = {build.LARGEST_MODEL:_}" in (ROOT / "packaging/understudy.spec").read_text(
        encoding="utf-8"
    )


# A whole bundle. To build one takes minutes, so these run on demand, and where releases are made.

TAKEN_OUT = [
    "_internal/assets/models/student-68.tflite",
    "_internal/assets/models/student-68-int8.tflite",
    "_internal/assets/models/teacher-star-68.tflite",
    "_internal/assets/models/student-mvit2-98.json",
    "_internal/assets/models/face_detection_short_range.tflite",
    "_internal/assets/sample/portrait.png",
    "_internal/assets/sample/portrait.json",
    "_internal/assets/fonts/Inter-Medium.otf",
    "_internal/assets/filters/glasses/glasses.png",
    "_internal/assets/filters/mask/tiger.pts",
    "_internal/assets/filters/_template/filter.toml",
    "_internal/assets/virtual_camera/send_frames.py",
    "_internal/PySide6/QtWidgets.abi3.so",
    "_internal/PySide6/Qt/lib/libQt6Gui.so.6",
    "_internal/PySide6/Qt/plugins/platforms/libqxcb.so",
    "_internal/PySide6/Qt/plugins/platforms/libqoffscreen.so",
    "_internal/PySide6/Qt/plugins/imageformats/libqjpeg.so",
    "_internal/cv2/cv2.abi3.so",
    "_internal/ai_edge_litert/libpywrap_litert_common.so",
    "_internal/numpy/_core/_multiarray_umath.*.so",
    "_internal/numpy.libs/libscipy_openblas*.so",
    "_internal/PIL/_imaging.*.so",
    "_internal/libpython3.*.so.*",
    "_internal/base_library.zip",
    "understudy-bin",
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A copy of the bundle that UNDERSTUDY_BUNDLE names."""
    made = os.environ.get("UNDERSTUDY_BUNDLE")
    if not made:
        pytest.skip("needs a bundle: python packaging/build.py, then UNDERSTUDY_BUNDLE=dist/understudy")
    copy = tmp_path_factory.mktemp("bundle") / "under study ß"
    shutil.copytree(made, copy, symlinks=True)
    return copy


def self_test(bundle: Path) -> tuple[int, str]:
    done = subprocess.run([bundle / "understudy", "--self-test"], capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.timeout(900)
def test_a_bundle_passes_its_self_test(bundle):
    code, said = self_test(bundle)
    assert code == 0, said


@linux_only
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", TAKEN_OUT)
def test_fault_85_a_bundle_names_each_file_that_is_taken_out(bundle, name, tmp_path):
    (file,) = bundle.glob(name)
    shutil.move(file, tmp_path / "kept")
    try:
        code, said = self_test(bundle)
    finally:
        shutil.move(tmp_path / "kept", file)
    assert code == 1
    assert f"{file.relative_to(bundle).as_posix().removeprefix('_internal/')} is missing" in said, said


@linux_only
@pytest.mark.timeout(1800)
def test_fault_85_a_bundle_names_each_library_that_is_taken_out(bundle, tmp_path):
    """The files are what is looked at first, so the self-test is ended once it has named the library."""
    unnamed = []
    for file in sorted(file for file in bundle.rglob("*") if is_library(file.name)):
        shutil.move(file, tmp_path / "kept")
        command = [bundle / "understudy", "--self-test"]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        with subprocess.Popen(command, start_new_session=True, **streams) as process:
            sentence = f"{file.relative_to(bundle).as_posix().removeprefix('_internal/')} is missing"
            if not any(sentence in line for line in process.stdout):
                unnamed.append(sentence)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        shutil.move(tmp_path / "kept", file)
    assert unnamed == []


@linux_only
@pytest.mark.timeout(300)
def test_fault_84_a_bundle_runs_twice_at_once_without_home_where_nobody_may_write_and_writes_nothing(bundle, tmp_path):
    subprocess.run(["chmod", "-R", "a-w", bundle], check=True)
    try:
        before = {path: path.lstat().st_mtime_ns for path in bundle.rglob("*")}
        command = [bundle / "understudy", "run", "sample", "--headless", "--frames", "20"]
        both = [subprocess.Popen(command, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}) for _ in range(2)]
        assert [process.wait(120) for process in both] == [0, 0]
        assert {path: path.lstat().st_mtime_ns for path in bundle.rglob("*")} == before
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["chmod", "-R", "u+w", bundle], check=True)


def test_a_bundle_has_nothing_under_the_gpl(bundle, libraries):
    assert libraries.gpl_parts(bundle) == []
