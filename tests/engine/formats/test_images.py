"""Pictures from any path, upright, or a sentence."""

import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from engine.core.errors import RecordingError, SourceError
from engine.formats.images import MOST_PIXELS, count_pictures, plays, read_picture, write_picture

REPOSITORY = Path(__file__).resolve().parents[3]
COLOUR = (200, 100, 50)


def test_written_and_read_back_in_rgb_from_a_path_with_any_letters(tmp_path):
    path = tmp_path / "Öß 日本" / "a b.png"
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[..., 0] = 255  # red
    write_picture(path, picture)
    assert (read_picture(path) == picture).all()
    assert [file.name for file in path.parent.iterdir()] == ["a b.png"]


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n cut off"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="no readable picture"):
        read_picture(path)


def test_a_missing_picture_is_refused(tmp_path):
    with pytest.raises(SourceError, match="cannot be opened"):
        read_picture(tmp_path / "none.jpg")


def test_an_unknown_ending_leaves_nothing_behind(tmp_path):
    with pytest.raises(RecordingError, match="cannot be written"):
        write_picture(tmp_path / "x.nonsense", np.zeros((2, 2, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def plain() -> Image.Image:
    return Image.new("RGB", (60, 40), COLOUR)


def sixteen_bits(path):
    cv2.imwrite(str(path), np.full((40, 60, 3), COLOUR[::-1], np.uint16) * 257)


def opaque(path):
    picture = plain()
    picture.putalpha(255)
    picture.save(path)


def ten_bits(path):
    cv2.imwrite(str(path), np.full((40, 60, 3), COLOUR[::-1], np.uint16) * 4)


def animated(path):
    plain().save(path, save_all=True, append_images=[Image.new("RGB", (60, 40))], duration=50)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("cmyk.jpg", lambda path: plain().convert("CMYK").save(path, quality=95)),
        ("sixteen bits.png", sixteen_bits),
        ("ten bits.png", ten_bits),
        ("ten bits.tif", ten_bits),
        ("alpha.png", opaque),
        ("named wrongly.jpg", lambda path: plain().save(path, "PNG")),
        ("a.avif", lambda path: plain().save(path, quality=95)),
        ("a.jp2", lambda path: plain().save(path)),
        ("a.gif", lambda path: plain().save(path)),
        ("animated.webp", animated),
        ("animated.gif", animated),
        ("palette.png", lambda path: plain().quantize(8).save(path)),
        ("pages.tif", animated),
    ],
)
def test_fault_44_every_kind_of_picture_has_its_colours(tmp_path, name, write):
    write(tmp_path / name)
    picture = read_picture(tmp_path / name)
    assert (picture.shape, picture.dtype) == ((40, 60, 3), np.uint8)
    assert np.abs(picture[20, 30].astype(int) - COLOUR).max() <= 4


def write_tiff(path, samples, kind, photometric=2):
    """Write samples `[H, W]` or `[H, W, 3]` of any type, which TIFF calls `kind`: 1 and 2 are whole, 3 is not."""
    height, width, channels = (*samples.shape, 1)[:3]
    size, data = samples.dtype.itemsize * 8, samples.tobytes()
    place = 8 + 2 + 10 * 12 + 4
    fields = {256: width, 257: height, 258: [size] * channels, 259: 1, 262: photometric, 273: place + 12 * channels}
    fields |= {277: channels, 278: height, 279: len(data), 339: [kind] * channels}
    entries, beyond = b"", b""
    for tag, value in fields.items():
        values = value if isinstance(value, list) else [value]
        short = struct.pack(f"<{len(values)}H", *values) if isinstance(value, list) else struct.pack("<I", value)
        if len(short) > 4:
            short, beyond = struct.pack("<I", place + len(beyond)), beyond + short
        entries += struct.pack("<HHI", tag, 3 if isinstance(value, list) else 4, len(values)) + short.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(fields)) + entries + bytes(4)
    path.write_bytes(head + beyond.ljust(12 * channels, b"\0") + data)


@pytest.mark.parametrize(
    ("dtype", "kind", "white"),
    [
        (np.float32, 3, 1), (np.float32, 3, 255), (np.float32, 3, 65535), (np.float64, 3, 1), (np.uint8, 1, 255),
        (np.uint16, 1, 65535), (np.int16, 2, 255), (np.int32, 2, 255), (np.int32, 2, 65535),
    ],
)  # fmt: skip
def test_fault_44_samples_of_every_type_have_their_colours(tmp_path, dtype, kind, white):
    picture = np.full((40, 60, 3), COLOUR) * (white / 255)
    write_tiff(tmp_path / "a.tif", picture.astype(dtype), kind)
    assert np.abs(read_picture(tmp_path / "a.tif")[20, 30].astype(int) - COLOUR).max() <= 1
    if dtype != np.float64:  # grey ones of this type cannot be decoded
        write_tiff(tmp_path / "grey.tif", picture[..., 1].astype(dtype), kind, photometric=1)
        assert np.abs(read_picture(tmp_path / "grey.tif")[20, 30].astype(int) - COLOUR[1]).max() <= 1


@pytest.mark.parametrize(("dtype", "kind"), [(np.uint8, 1), (np.uint16, 1)])
def test_fault_44_a_tiff_may_count_from_white(tmp_path, dtype, kind):
    black = np.full((40, 60), np.iinfo(dtype).max // 255 * 155, dtype)
    write_tiff(tmp_path / "a.tif", black, kind, photometric=0)
    assert set(read_picture(tmp_path / "a.tif").ravel().tolist()) == {100}


@pytest.mark.parametrize(
    ("dtype", "kind", "values", "said"),
    [
        (np.float32, 3, (0.5, 3.7), "holds numbers from 0.5 to 3.7"),
        (np.float32, 3, (-2, 0.5), "holds numbers from -2 to 0.5"),
        (np.float32, 3, (np.nan, 0.5), "holds numbers from nan"),
        (np.float32, 3, (np.inf, 0.5), "to inf"),
        (np.int32, 2, (-1, 7), "holds numbers from -1 to 7"),
        (np.int32, 2, (0, 70_000), "to 70000"),
        (np.float16, 3, (0, 1), "holds samples other than 8 or 16 bits"),
        (np.uint64, 1, (0, 1), "holds samples other than 8 or 16 bits"),
    ],
)
def test_fault_44_numbers_whose_white_is_not_known_are_refused(tmp_path, dtype, kind, values, said):
    picture = np.full((40, 60, 3), values[1], dtype)
    picture[3, 3] = values[0]
    write_tiff(tmp_path / "a.tif", picture, kind)
    with pytest.raises(SourceError, match=said):
        read_picture(tmp_path / "a.tif")


def test_fault_44_fractions_may_be_grey_pictures_of_other_programs(tmp_path):
    Image.new("F", (60, 40), 100 / 255).save(tmp_path / "a.tif")
    assert set(read_picture(tmp_path / "a.tif").ravel().tolist()) == {100}


DAMAGE_AND_READ = """
import random, sys
from pathlib import Path
from engine.core.errors import SourceError
from engine.formats.images import read_picture
whole = Path(sys.argv[1]).read_bytes()
for seed in range(25):
    chance = random.Random(seed)
    damaged = bytearray(whole)
    for _ in range(3):
        damaged[chance.randrange(min(len(whole), chance.choice((150, 600))))] = chance.randrange(256)
    Path(sys.argv[1]).write_bytes(damaged)
    try:
        read_picture(Path(sys.argv[1]))
    except SourceError:
        pass
"""


@pytest.mark.parametrize("name", ["a.jp2", "a.avif", "a.png", "a.tif", "a.gif", "a.ppm"])
def test_fault_44_damaged_pictures_of_every_format_end_no_program_and_print_nothing(tmp_path, name):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8))
    noise.save(tmp_path / name, **({"compression": "jpeg"} if name == "a.tif" else {}))
    ran = subprocess.run(
        [sys.executable, "-c", f"import app\n{DAMAGE_AND_READ}", str(tmp_path / name)],
        cwd=REPOSITORY, capture_output=True, timeout=60, text=True,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
def test_fault_44_white_shows_through_transparent_pixels(tmp_path, mode):
    picture = Image.new("RGBA", (60, 40), (*COLOUR, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 30, 40))
    picture.paste((*COLOUR, 128), (50, 0, 60, 40))
    path = tmp_path / "a.png"
    (picture if mode == "RGBA" else picture.convert("LA") if mode == "LA" else picture.quantize(8)).save(path)
    read = read_picture(path)
    assert read[20, 10].tolist() == [255, 255, 255]
    if mode != "LA":
        assert np.abs(read[20, 40].astype(int) - COLOUR).max() <= 4
        assert np.abs(read[20, 55].astype(int) - (np.array(COLOUR) + 255) / 2).max() <= 4


def test_fault_43_a_transparent_picture_is_turned_too(tmp_path):
    flag = Image.Exif()
    flag[274] = 6
    see_through = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    see_through.putpixel((0, 0), (0, 0, 0, 255))
    see_through.save(tmp_path / "a.png", exif=flag)
    read = read_picture(tmp_path / "a.png")
    assert read.shape == (60, 40, 3)
    assert read[0, -1].tolist() == [0, 0, 0]
    assert read[5:].min() == 255


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "avif"])
def test_fault_43_every_format_is_turned_upright(tmp_path, ending):
    flag = Image.Exif()
    flag[274] = 6
    Image.new("RGB", (60, 40)).save(tmp_path / f"a.{ending}", exif=flag)
    assert read_picture(tmp_path / f"a.{ending}").shape == (60, 40, 3)


@pytest.mark.parametrize(("name", "count"), [("a.gif", 2), ("a.webp", 2), ("a.png", 2), ("a.tif", 2), ("a.jpg", 1)])
def test_the_pictures_of_a_file_are_counted(tmp_path, name, count):
    plain().save(tmp_path / name) if count == 1 else animated(tmp_path / name)
    assert count_pictures(tmp_path / name) == count


def test_nothing_is_counted_where_there_is_no_picture(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    assert count_pictures(tmp_path / "a.png") == count_pictures(tmp_path / "none.png") == 1


def test_fault_44_grey_pictures_are_read(tmp_path):
    for mode, value in (("L", 77), ("1", 1), ("I;16", 77 * 257)):
        Image.new(mode, (5, 4), value).save(tmp_path / "grey.png")
        assert set(read_picture(tmp_path / "grey.png").ravel().tolist()) == {255 if mode == "1" else 77}


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (32766, 1)])
def test_fault_44_the_thinnest_pictures_are_read(tmp_path, size):
    Image.new("RGB", size, COLOUR).save(tmp_path / "thin.png")
    assert read_picture(tmp_path / "thin.png").shape == (size[1], size[0], 3)


@pytest.mark.parametrize("size", [(32767, 1), (10001, 10000), (20000, 20000)])
def test_fault_44_what_is_too_large_is_refused_before_it_is_decoded(tmp_path, monkeypatch, size):
    Image.new("1", size).save(tmp_path / "bomb.png")
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(SourceError, match=r"bomb\.png is too large.*100 megapixels"):
        read_picture(tmp_path / "bomb.png")


READ_AND_PRINT_MEMORY = """
import resource, sys
from pathlib import Path
from engine.core.errors import SourceError
from engine.formats.images import read_picture
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_picture(Path(sys.argv[1]))
except SourceError:
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems count memory in other units")
def test_fault_44_a_bomb_of_a_few_kilobytes_fills_no_memory(tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("1", (20000, 20000)).save(path)
    assert path.stat().st_size < 100_000
    command = [sys.executable, "-c", READ_AND_PRINT_MEMORY, str(path)]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=60, check=True)
    assert int(ran.stdout) * 1024 < 1.5 * 3 * MOST_PIXELS


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_fault_44_a_picture_cut_off_is_refused(tmp_path, kind, share):
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    buffer = BytesIO()
    Image.fromarray(noise).save(buffer, kind)
    data = buffer.getvalue()
    path = tmp_path / f"cut.{kind.lower()}"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(SourceError, match="no readable picture"):
        read_picture(path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("part", [b"IHDR", b"IDAT", b"tEXt", b"\x01\x02\x03\x04"])
def test_fault_44_a_png_that_claims_a_part_of_gigabytes_takes_no_memory_for_it(tmp_path, part):
    write_picture(tmp_path / "a.png", np.full((40, 60, 3), 90, np.uint8))
    content = (tmp_path / "a.png").read_bytes()
    place = content.index(part) - 4 if part in content else 33  # behind the header
    claim = (1_600_000_000).to_bytes(4, "big") + part
    (tmp_path / "a.png").write_bytes(content[:place] + claim + content[place + 8 :])
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is that of now

    def peak():
        return int(Path("/proc/self/status").read_text(encoding="ascii").partition("VmHWM:")[2].split()[0]) / 1e3

    before = peak()
    with suppress(SourceError):  # where all pixels are there nevertheless, it is read
        read_picture(tmp_path / "a.png")
    assert peak() - before < 100


def test_fault_44_a_png_that_claims_trillions_of_pixels_is_refused_and_no_animation(tmp_path):
    header = b"IHDR" + struct.pack(">II", 2**31 - 1, 20_000) + b"\x08\x02\0\0\0"
    parts = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts + struct.pack(">I", 0) + b"IEND\xaeB`\x82")
    assert (count_pictures(tmp_path / "a.png"), plays(tmp_path / "a.png")) == (1, False)
    with pytest.raises(SourceError, match="too large|far more pixels"):
        read_picture(tmp_path / "a.png")


def test_a_picture_that_no_decoder_is_there_for_says_so(tmp_path):
    path = tmp_path / "photo.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    with pytest.raises(SourceError, match="no readable picture. HEIC files need a decoder"):
        read_picture(path)


def test_a_picture_in_a_language_of_programs_starts_none(tmp_path, monkeypatch):
    """PostScript is drawn by the program Ghostscript, which must not get what somebody calls a JPEG."""
    Image.new("RGB", (8, 8)).save(tmp_path / "a.eps")
    path = (tmp_path / "a.eps").rename(tmp_path / "a.jpg")
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("a program was started"))
    with pytest.raises(SourceError, match="no readable picture"):
        read_picture(path)
