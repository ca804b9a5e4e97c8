"""Small data sets in the exact layout of the official ones; the picture is white where the first landmark lies."""

import h5py
import numpy as np
import scipy.io

from engine.core.schemes import COFW_29
from engine.formats.images import write_picture
from engine.formats.landmark_writers import pts_text

WIDTH, HEIGHT = 90, 70
FOLDERS_300W = {
    "afw": ".jpg",
    "helen/trainset": ".jpg",
    "lfpw/trainset": ".png",
    "helen/testset": ".jpg",
    "lfpw/testset": ".png",
    "ibug": ".jpg",
}
LIST_WFLW = "WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_{}.txt"


def landmarks(points, seed):
    """Landmarks `[points, 2]` inside the picture, the first at a whole pixel; pixels counted from 0."""
    random = np.random.default_rng(seed)
    made = random.uniform((15, 10), (WIDTH - 15, HEIGHT - 10), (points, 2)).round(2)
    made[0] = (20 + seed % 40, 12 + seed % 30)
    return made


def picture(points):
    """A dark picture `[HEIGHT, WIDTH, 3]`, white at the first point."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    x, y = points[0].astype(int)
    pixels[y, x] = 255
    return pixels


def make_300w(root, faces=2):
    """Write 300-W with `faces` faces a folder; return the landmarks by the path of their picture."""
    made = {}
    for folder, suffix in FOLDERS_300W.items():
        for number in range(faces):
            points = landmarks(68, len(made))
            name = f"{folder}/image_{number:04d}{suffix}"
            write_picture(root / name, picture(points))
            (root / name).with_suffix(".pts").write_text(pts_text(points), encoding="utf-8")
            made[name] = points
    return made


def line_wflw(points, attributes, name):
    """A line of WFLW's lists."""
    (x0, y0), (x1, y1) = points.min(0).astype(int), points.max(0).astype(int)
    numbers = " ".join(f"{value:.6f}" for value in points.ravel())
    return f"{numbers} {x0} {y0} {x1} {y1} {' '.join(map(str, attributes))} {name}"


def make_wflw(root):
    """Write WFLW: three training faces, two of them on one picture, and two test faces; return their lines' values."""
    made = {}
    for split, names in (
        ("train", ["0--Parade/a.png", "0--Parade/a.png", "7--Cheering/a.png"]),
        ("test", ["b.png"] * 2),
    ):
        lines = []
        for number, name in enumerate(names):
            points, attributes = landmarks(98, 3), [number % 2, 0, 1, 0, 0, number // 2]
            if not (root / "WFLW_images" / name).exists():
                write_picture(root / "WFLW_images" / name, picture(points))
            lines.append(line_wflw(points, attributes, name))
            made[split, number] = (points, attributes, name)
        file = root / LIST_WFLW.format(split)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def write_cofw_mat(path, half, pictures, labels, boxes):
    """Write half of COFW as MATLAB 7.3 does: a header before the HDF5, cells as references, axes in reverse.

    Args:
        path: the file.
        half: `Tr` or `T`, the ending of its fields.
        pictures: `[H, W]` or `[H, W, 3]` uint8 each.
        labels: `[N, 87]`.
        boxes: `[N, 4]`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        cells = np.empty((1, len(pictures)), h5py.ref_dtype)
        for index, pixels in enumerate(pictures):
            stored = file.create_dataset(f"#refs#/{index}", data=pixels.T)
            stored.attrs["MATLAB_class"] = np.bytes_("uint8")
            cells[0, index] = stored.ref
        if pictures:
            file.create_dataset(f"Is{half}", data=cells, dtype=h5py.ref_dtype)
        else:
            file.create_dataset(f"Is{half}", data=np.zeros(2, np.uint64)).attrs["MATLAB_empty"] = np.uint8(1)
        file[f"Is{half}"].attrs["MATLAB_class"] = np.bytes_("cell")
        file.create_dataset(f"phis{half}", data=np.asarray(labels, np.float64).T)
        file.create_dataset(f"bboxes{half}", data=np.asarray(boxes, np.float64).T)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


def make_cofw(root, names=("COFW_train.mat", "COFW_test.mat"), faces=3):
    """Write COFW, the first picture of each half grey; return landmarks and occlusion by half."""
    made = {}
    for half, name in zip(("Tr", "T"), names, strict=True):
        points = [landmarks(COFW_29.points, 5 + number) for number in range(faces)]
        occluded = np.zeros((faces, COFW_29.points))
        occluded[:, 3::4] = 1
        labels = [
            np.concatenate([*(face + 1).T, flags]) for face, flags in zip(points, occluded, strict=True)
        ]  # fmt: skip
        pictures = [picture(face) if number else picture(face)[:, :, 0] for number, face in enumerate(points)]
        write_cofw_mat(root / name, half, pictures, labels, np.tile([11.0, 6.0, 60.0, 50.0], (faces, 1)))
        made[half] = (points, occluded)
    return made


def make_cofw68(root, faces=3):
    """Write COFW's test half with the 68-point annotations in their folder; return landmarks and occlusion."""
    points = [landmarks(68, 5 + number) for number in range(faces)]  # their first point is that of the 29
    occluded = np.zeros((faces, 68), np.uint8)
    occluded[:, 2::5] = 1
    make_cofw(root, faces=faces)
    (root / "COFW_train.mat").unlink()
    folder = root / "COFW68_Data" / "test_annotations"
    folder.mkdir(parents=True)
    for number, (face, flags) in enumerate(zip(points, occluded, strict=True), 1):
        scipy.io.savemat(folder / f"{number}_points.mat", {"Points": face + 1, "Occ": flags[:, None]})
    boxes = np.tile([11.0, 6.0, 60.0, 50.0], (faces, 1))
    scipy.io.savemat(folder.parent / "cofw68_test_bboxes.mat", {"bboxes": boxes})
    return points, occluded
