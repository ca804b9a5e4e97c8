"""Valid inputs of every reader, and what damage, carelessness and malice make of them; everything follows a seed.

A kind of input is a list of files of which one is changed. Some changes know the format, others only bytes or text, and
a few put something else in the file's place: a pipe that nobody writes into, a device without end, a folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.paths import asset_path
from engine.evaluation.files import write_evaluation
from engine.formats.images import write_picture
from engine.sources.sample import SampleClip
from tests.fakes.clips import write_clip
from tests.fakes.evaluations import evaluation, write_pack
from tests.fakes.filters import make_filter
from tests.fakes.models import face_points

MODEL = "student-68-lite"
Change = Callable[[random.Random, bytes], bytes]

# What stands in place of a number or a word.
NASTY_TEXT = (
    "NaN", "-Infinity", "1e999", "-1", "0", "1e-320", "9" * 5000, "9" * 300, "0x10", "1_000", "true", "null", '""',
    "[" * 1000, "{" * 5000, '{"a":' * 2000, "\0", "\ufeff", "\u2028", '"\\ud800"', '"' + "x" * 100_000 + '"', "=1+1",
    "1979-05-27T07:32:00Z", "12.0", ",,,,", ";", "../../etc/passwd", "/dev/zero", "!!python/object:os.system [x]",
    "&a [*a, *a]", "inf", "١٢", "1,5", "\r", "-0.0", "18446744073709551616",
)  # fmt: skip
NASTY_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**400, 2**63, "", "x" * 100_000, "\ud800", [], {}, [[]],
    [1] * 1000, {"a": {"b": {}}}, [None], "../../x", "/dev/zero", -0.5, 1e-320, "NaN", [[[]]],
)  # fmt: skip


# Changes of bytes and of text


def flipped(random_: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(random_.choice((1, 1, 4, 64))):
        changed[random_.randrange(len(changed))] ^= 1 << random_.randrange(8)
    return bytes(changed)


def overwritten(random_: random.Random, content: bytes) -> bytes:
    """Near the beginning, where most formats say what follows, something else stands."""
    changed, at = bytearray(content), random_.randrange(min(len(content), 400))
    width = random_.choice((1, 2, 4, 8))
    changed[at : at + width] = random_.choice((b"\xff", b"\0", b"\x7f", b"\x80", random_.randbytes(1))) * width
    return bytes(changed)


def cut(random_: random.Random, content: bytes) -> bytes:
    return content[: random_.randrange(len(content))]


def stretched(random_: random.Random, content: bytes) -> bytes:
    at = random_.randrange(len(content))
    return content[:at] + random_.choice((b"\0" * 5000, random_.randbytes(200), content[:at][-300:])) + content[at:]


def noise(random_: random.Random, content: bytes) -> bytes:
    return content[:8] + random_.randbytes(random_.randrange(20_000))


def emptied(random_: random.Random, content: bytes) -> bytes:
    return b""


def word_replaced(random_: random.Random, content: bytes) -> bytes:
    """A number or a word is another one."""
    words = list(re.finditer(rb'"[^"\n]*"|[\w.+-]+|[\[\]{}=:,]', content))
    place = random_.choice(words)
    nasty = random_.choice(NASTY_TEXT).encode("utf-8", "surrogatepass")
    return content[: place.start()] + nasty + content[place.end() :]


def line_changed(random_: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = random_.randrange(len(lines))
    lines[at : at + 1] = random_.choice(([], [lines[at]] * 2, [lines[at][: len(lines[at]) // 2]], [b"", b"\xff\xfe"]))
    return b"\n".join(lines)


def encoded_otherwise(random_: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    return random_.choice(
        (b"\xef\xbb\xbf" + content, text.encode("utf-16"), text.encode("utf-32"), content.replace(b"\n", b"\r"))
    )


BYTES: tuple[Change, ...] = (flipped, flipped, overwritten, overwritten, cut, stretched, noise, emptied)
TEXT: tuple[Change, ...] = (word_replaced, word_replaced, word_replaced, line_changed, encoded_otherwise, cut, flipped)


def json_changed(random_: random.Random, content: bytes) -> bytes:
    """A value anywhere in the first line, or the whole of it, is of another kind or is missing."""
    first, newline, rest = content.partition(b"\n") if content.count(b"\n{") else (content, b"", b"")
    value = json.loads(first)
    places = list(_places(value))
    holder, key = random_.choice(places)
    if random_.random() < 0.2:
        del holder[key]
    else:
        holder[key] = random_.choice(NASTY_VALUES)
    return json.dumps(value).encode() + newline + rest


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


# Changes of archives of arrays


def arrays_changed(random_: random.Random, content: bytes) -> bytes:
    """An array is missing, or of another type or shape, or has numbers that cannot be."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    name = random_.choice(list(arrays))
    array = arrays[name]
    nasty: tuple[Callable[[], Any], ...] = (
        lambda: array.astype(object),
        lambda: array[: len(array) // 2],
        lambda: array[None],
        lambda: array.ravel(),
        lambda: np.array(3),
        lambda: np.zeros((0, *array.shape[1:])),
        lambda: np.full(array.shape, np.nan),
        lambda: np.full(array.shape, 1e38),
        lambda: np.full(array.shape, -(2**62)),
        lambda: array.astype("S20"),
        lambda: array.astype("U20"),
        lambda: np.full(array.shape, "2020-01-01", "datetime64[D]"),
        lambda: np.zeros(array.shape, [("x", "f4"), ("y", "S3")]),
        lambda: np.full(array.shape, 1 + 2j),
        lambda: np.full(array.shape, "../../etc/passwd"),
        lambda: np.full(array.shape, "a\0b\ud800"),
        lambda: np.repeat(array, 3, 0),
    )
    if random_.random() < 0.1:
        del arrays[name]
    else:
        arrays[name] = random_.choice(nasty)()
    written = io.BytesIO()
    np.savez(written, **arrays)
    return written.getvalue()


def archive_changed(random_: random.Random, content: bytes) -> bytes:
    """A member is a bomb, says that it is larger than it is, leads out of its folder, or is there twice."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = random_.choice(list(members))
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            changed = random_.choice((_bomb, _boasting, _pickle, bytes)) if member == name else bytes
            archive.writestr(member, changed(data))
        if random_.random() < 0.5:
            archive.writestr(random_.choice(("../../out.npy", "/abs.npy", "more.npy", "more.txt")), _bomb(b""))
    return written.getvalue()


def _bomb(_: bytes) -> bytes:
    """1.5 GB of zeros would be 1.5 MB in the archive: a tenth of it, and its header says all."""
    return _header({"descr": "<f8", "fortran_order": False, "shape": (200_000_000,)}) + bytes(150_000_000)


def _boasting(data: bytes) -> bytes:
    return _header({"descr": "<f4", "fortran_order": False, "shape": (2**40, 68, 2)}) + data[128:]


def _pickle(data: bytes) -> bytes:
    return _header({"descr": "|O", "fortran_order": False, "shape": (1,)}) + b"cos\nsystem\n(S'true'\ntR."


def _header(description: dict[str, Any]) -> bytes:
    text = repr(description).encode()
    text += b" " * (117 - len(text)) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text


# Changes of checkpoints


def safetensors_changed(random_: random.Random, content: bytes) -> bytes:
    """What the header says of a tensor or of the run is not so; or a weight is no number."""
    length = struct.unpack("<Q", content[:8])[0]
    header, tensors = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    what = random_.randrange(5)
    name = random_.choice([name for name in header if name != "__metadata__"])
    if what == 0:
        header[name]["data_offsets"] = random_.choice(([0, 2**63], [-1, 4], [4, 0], [0, 10**18], [0], "x"))
    elif what == 1:
        header[name]["shape"] = random_.choice(([2**40], [-1], [], [0], ["x"], None))
    elif what == 2:
        header["__metadata__"] = json.loads(json_changed(random_, json.dumps(header["__metadata__"]).encode()))
        header["__metadata__"] = {key: str(value) for key, value in header["__metadata__"].items()}
    elif what == 3:
        field = random_.choice(("recipe", "notes"))
        values = json_changed(random_, header["__metadata__"][field].encode())
        header["__metadata__"][field] = values.decode()
    else:
        start, end = header[name]["data_offsets"]
        tensors[start:end] = struct.pack("<f", float("nan")) * ((end - start) // 4)
    text = json.dumps(header).encode()
    length = random_.choice((len(text),) * 8 + (2**63, 2**40, 0))
    return struct.pack("<Q", length) + text + bytes(tensors)


# Changes of models

SIZES = (2**63, 2**64 - 1, 2**31, 2**32, 1, 2**40)


def edited_model(content: bytes, edit: Callable[[Any], None]) -> bytes:
    """Return a model of which `edit` changed the tables, a `ModelT` of the schema."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    edit(model)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def without_scales(model: Any) -> None:
    """Give every tensor of a model the scale 0; an edit for `edited_model`."""
    from ai_edge_litert import schema_py_generated as schema

    for tensor in model.subgraphs[0].tensors:
        tensor.quantization = _no_scale(schema)


def with_operator(name: str) -> Callable[[Any], None]:
    """Return an edit for `edited_model` that puts an operator of this name, as of TensorFlow, in place of the last."""
    from ai_edge_litert import schema_py_generated as schema

    def edit(model: Any) -> None:
        graph = model.subgraphs[0]
        number = graph.operators[-1].opcodeIndex
        code = model.operatorCodes[number]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = name.encode()
        for operator in graph.operators:
            if operator.opcodeIndex == number:
                operator.builtinOptions, operator.builtinOptionsType = None, 0

    return edit


def model_changed(random_: random.Random, content: bytes) -> bytes:
    """A number in the tables of the network is another: types, counts, shapes, indices, offsets and sizes."""
    return edited_model(content, lambda model: _change_tables(random_, model))


def _change_tables(random_: random.Random, model: Any) -> None:
    from ai_edge_litert import schema_py_generated as schema

    graph = model.subgraphs[0]
    for _ in range(random_.choice((1, 1, 2))):
        tensor, operator = random_.choice(graph.tensors), random_.choice(graph.operators)
        buffer = model.buffers[random_.choice([tensor.buffer, *range(len(model.buffers))])]
        anything = random_.choice((-1, 0, 1, 7, 10_000, 2**31 - 1, -(2**31)))
        changes: tuple[Callable[[], Any], ...] = (
            lambda t=tensor: setattr(t, "type", random_.randrange(20)),
            lambda t=tensor, n=anything: setattr(t, "shape", np.array([n, *list(t.shape)[1:]], np.int32)),
            lambda t=tensor: setattr(t, "shape", np.array(list(t.shape)[:-1] or [2, 2], np.int32)),
            lambda t=tensor: setattr(t, "shape", np.full(len(t.shape), 60_000, np.int32)),
            lambda t=tensor, n=anything: setattr(t, "buffer", abs(n)),
            lambda t=tensor: setattr(t, "shapeSignature", np.full(len(t.shape), -1, np.int32)),
            lambda t=tensor: setattr(t, "quantization", _no_scale(schema)),
            lambda b=buffer: (
                setattr(b, "data", None),
                setattr(b, "offset", random_.choice(SIZES)),
                setattr(b, "size", random_.choice(SIZES)),
            ),
            lambda b=buffer: setattr(b, "data", None if b.data is None else b.data[: len(b.data) // 2]),
            lambda o=operator, n=anything: setattr(o, "inputs", np.array([n, *list(o.inputs)[1:]], np.int32)),
            lambda o=operator: setattr(o, "inputs", np.array(list(o.inputs)[:-1], np.int32)),
            lambda o=operator, n=anything: setattr(o, "outputs", np.array([n], np.int32)),
            lambda o=operator: setattr(o, "outputs", np.array(o.inputs, np.int32)),
            lambda o=operator: setattr(o, "opcodeIndex", random_.choice((0, 1, 1000))),
            lambda o=operator: setattr(o, "builtinOptions", None),
            lambda: setattr(random_.choice(model.operatorCodes), "builtinCode", random_.randrange(210)),
            lambda n=anything: setattr(graph, "inputs", np.array([n], np.int32)),
            lambda n=anything: setattr(graph, "outputs", np.array([*list(graph.outputs)[:1], n], np.int32)),
            lambda: setattr(graph, "outputs", np.array(list(graph.outputs) * 3, np.int32)),
            lambda: setattr(graph, "operators", graph.operators[: random_.randrange(len(graph.operators))]),
            lambda: setattr(graph, "tensors", graph.tensors[: random_.randrange(len(graph.tensors))]),
        )
        random_.choice(changes)()


def _no_scale(schema: Any) -> Any:
    quantization = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = [0.0], [10**6]
    return quantization


# Changes of pictures


def picture_grown(random_: random.Random, content: bytes) -> bytes:
    """A PNG says that it is huge, and its checksum agrees."""
    side = random_.choice((0, 1, 20_000, 60_000, 2**31 - 1)), random_.choice((0, 1, 20_000, 60_000))
    head = b"IHDR" + struct.pack(">II", *side) + content[24:29]
    return content[:12] + head + struct.pack(">I", zlib.crc32(head)) + content[33:]


# Kinds of input


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        make: writes a valid one into a folder and returns the file that is changed.
        changes: what becomes of its content.
        after: called with the changed file, so that what vouches for it agrees.
    """

    make: Callable[[Path], Path]
    changes: tuple[Change, ...]
    after: Callable[[Path], None] = lambda path: None


def _model(folder: Path) -> Path:
    for ending in (".tflite", ".json"):
        shutil.copyfile(asset_path("models", MODEL + ending), folder / f"m{ending}")
    return folder / "m.tflite"


def _vouch(model: Path) -> None:
    """Have the card agree with the file, as a malicious or careless author would."""
    card, content = model.with_suffix(".json"), model.read_bytes()
    values = json.loads(card.read_text(encoding="utf-8"))
    values |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    card.write_text(json.dumps(values), encoding="utf-8")


def _settings(folder: Path) -> Path:
    (folder / "settings.toml").write_text(
        'source = "sample"\nsignals = true\nfilter = "glasses"\ntheme = "dark"\n\n[window]\nx = 3\nwidth = 900\n\n'
        '[lanes]\nfirst = "student-68"\nlayout = "split"\nmagnification = 4.0\n\n[overlay]\npoints = false\n',
        encoding="utf-8",
    )
    return folder / "settings.toml"


def _filter(folder: Path) -> Path:
    shutil.copytree(asset_path("filters", "glasses"), folder / "f")
    return folder / "f" / "filter.toml"


def _filter_image(folder: Path) -> Path:
    return make_filter(folder / "f") / "square.png"


def _pack(folder: Path) -> Path:
    write_pack(folder / "p", visibility=np.full((4, 68), 2, np.uint8), split=np.array(["train", "test"] * 2))
    return folder / "p" / "annotations.npz"


def _landmarks() -> tuple[list[str], np.ndarray]:
    return [f"images/{n}.png" for n in range(4)], np.stack([face_points(100 + 10 * n, 100, 100) for n in range(4)])


def _predictions_npz(folder: Path) -> Path:
    _pack(folder)
    images, landmarks = _landmarks()
    np.savez(folder / "t.npz", image=np.array(images), landmarks=landmarks)
    return folder / "t.npz"


def _predictions_jsonl(folder: Path) -> Path:
    _pack(folder)
    lines = [json.dumps({"image": n, "landmarks": p.tolist()}) for n, p in zip(*_landmarks(), strict=True)]
    (folder / "t.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "t.jsonl"


def _predictions_csv(folder: Path) -> Path:
    _pack(folder)
    head = ",".join(["image", *(f"{axis}{point}" for point in range(68) for axis in "xy")])
    rows = [",".join([n, *(f"{v:.2f}" for v in p.ravel())]) for n, p in zip(*_landmarks(), strict=True)]
    (folder / "t.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return folder / "t.csv"


def _pts(folder: Path) -> Path:
    image, truth = SampleClip().frame(0)
    write_picture(folder / "a.png", image)
    points = "\n".join(f"{x:.3f} {y:.3f}" for x, y in truth.points + 1)
    (folder / "a.pts").write_text(f"version: 1\nn_points: 68\n{{\n{points}\n}}\n", encoding="utf-8")
    return folder / "a.pts"


def _clip_truth(folder: Path) -> Path:
    write_clip(folder / "c.avi", 3)
    head = ",".join(["frame", *(f"{axis}{point}" for point in range(68) for axis in "xy")])
    rows = [",".join([str(n), *(f"{v:.2f}" for v in face_points(20, 20, 20).ravel())]) for n in range(3)]
    (folder / "c.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return folder / "c.csv"


def _checkpoint(folder: Path) -> Path:
    from dataclasses import asdict

    from tests.fakes.tiny_training import tiny_recipe
    from trainer.checkpoint import Checkpoint, write_checkpoint
    from trainer.networks import network_of

    recipe, path = tiny_recipe(), folder / "last.safetensors"
    weights = network_of(recipe.network).state_dict()
    copies = {name: tensor.clone() for name, tensor in weights.items()}
    notes = {"best_nme": 4.0, "lineage": ["random"], "data": "x", "files": {}, "faces": 10, "crop_size": 128}
    write_checkpoint(path, Checkpoint(6, asdict(recipe), weights, copies, {}, notes))
    return path


def _run(folder: Path) -> Path:
    from dataclasses import asdict

    from tests.fakes.tiny_training import tiny_recipe
    from trainer.run_folder import write_recipe

    facts = {"data_folder": "data", "runs_folder": "runs", "precision": "auto"}
    write_recipe(folder, {"recipe": asdict(tiny_recipe()), **facts})
    return folder / "recipe.json"


def _filter_points(folder: Path) -> Path:
    shutil.copytree(asset_path("filters", "mask"), folder / "f")
    return next((folder / "f").glob("*.pts"))


def _evaluation(folder: Path) -> Path:
    for name in ("a", "b"):
        pack = write_pack(folder / name / "pack")
        write_evaluation(evaluation(pack, [1.0, 2.0, None, 3.0], name), folder / name)
    return folder / "a" / "evaluation.json"


def _clip(ending: str) -> Callable[[Path], Path]:
    return lambda folder: write_clip(folder / f"v{ending}", 12)


def _picture(ending: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write_picture(folder / f"i{ending}", SampleClip().frame(0)[0])
        return folder / f"i{ending}"

    return make


KINDS: dict[str, Kind] = {
    "model": Kind(_model, (model_changed,) * 4 + BYTES, _vouch),
    "card": Kind(lambda folder: _model(folder).with_suffix(".json"), (json_changed,) * 3 + TEXT),
    "settings": Kind(_settings, TEXT),
    "filter": Kind(_filter, TEXT),
    "filter image": Kind(_filter_image, (picture_grown, *BYTES)),
    "pack": Kind(_pack, (arrays_changed,) * 3 + (archive_changed, *BYTES)),
    "predictions.npz": Kind(_predictions_npz, (arrays_changed,) * 3 + (archive_changed, *BYTES)),
    "predictions.jsonl": Kind(_predictions_jsonl, (json_changed,) * 3 + TEXT),
    "predictions.csv": Kind(_predictions_csv, TEXT),
    "points": Kind(_pts, TEXT),
    "truth of a clip": Kind(_clip_truth, TEXT),
    "checkpoint": Kind(_checkpoint, (safetensors_changed,) * 3 + BYTES),
    "run": Kind(_run, (json_changed,) * 3 + TEXT),
    "filter points": Kind(_filter_points, TEXT),
    "evaluation": Kind(_evaluation, (json_changed,) * 3 + TEXT),
    "video.mp4": Kind(_clip(".mp4"), BYTES),
    "video.avi": Kind(_clip(".avi"), BYTES),
    "picture.png": Kind(_picture(".png"), (picture_grown, *BYTES)),
    "picture.jpg": Kind(_picture(".jpg"), BYTES),
    "picture.webp": Kind(_picture(".webp"), BYTES),
    "picture.tif": Kind(_picture(".tif"), BYTES),
    "picture.bmp": Kind(_picture(".bmp"), BYTES),
}


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    path.mkdir()


def _nowhere(path: Path) -> None:
    path.symlink_to("gone")


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3_000_000_000)


SPECIAL: tuple[Callable[[Path], None], ...] = (_pipe, _device, _folder, _nowhere, _huge)


class Mutations:
    """Makes inputs of all kinds, below a folder."""

    def __init__(self, folder: Path, seed: int, kinds: tuple[str, ...] = tuple(KINDS)) -> None:
        self._folder, self._seed, self._kinds = folder, seed, kinds
        self._originals: dict[str, tuple[Path, Path]] = {}

    def make(self, number: int) -> tuple[str, str, Path]:
        """Make the input of a number; return its kind, what became of it, and its file."""
        kind = self._kinds[number % len(self._kinds)]
        round_ = number // len(self._kinds)
        if kind not in self._originals:
            home = self._folder / f"original {len(self._originals)}"
            home.mkdir(parents=True)
            self._originals[kind] = home, KINDS[kind].make(home)
        home, original = self._originals[kind]
        copy = self._folder / "mutated"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(home, copy)
        path = copy / original.relative_to(home)
        random_ = random.Random(f"{self._seed} {kind} {round_}")
        if round_ < len(SPECIAL):
            path.unlink()
            SPECIAL[round_](path)
            return kind, SPECIAL[round_].__name__, path
        change = random_.choice(KINDS[kind].changes)
        path.write_bytes(change(random_, original.read_bytes()))
        KINDS[kind].after(path)
        return kind, change.__name__, path
