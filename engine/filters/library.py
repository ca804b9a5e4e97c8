"""The available filters, the user's own and those shipped with the program; loading them, and making new ones."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from platformdirs import user_data_path

from engine.core.errors import FilterError, PackError, UsageError
from engine.core.files import partial_path, remove_left_behind
from engine.core.paths import asset_path
from engine.core.platforms import safe_name
from engine.core.records import suggestion
from engine.core.schemes import SCHEMES
from engine.core.texts import reason
from engine.filters.hook import load_hook
from engine.filters.images import LayerImage, read_images
from engine.filters.mesh import make_mesh
from engine.filters.painter import Filter, LoadedLayer
from engine.filters.reading import SPEC_NAME, read_spec
from engine.filters.spec import LayerSpec
from engine.formats.landmark_readers import read_pts

log = logging.getLogger(__name__)

SHIPPED = asset_path("filters")
TEMPLATE = SHIPPED / "_template"  # the library leaves out names with this beginning
TITLE_LINE = 'name = "My filter"'


def user_filters() -> Path:
    """Return the user's folder of filters, which need not exist yet."""
    return user_data_path("understudy", appauthor=False) / "filters"


@dataclass(frozen=True)
class FilterEntry:
    """A filter found in a folder, named after it.

    Attributes:
        title: its name for people; that of the folder where it cannot be read.
        own: whether it is in the user's own folder of filters, so that its hook may be run.
        error: why it cannot be used; None if it can.
        hides: the folder of another filter of this name, which it takes the place of; None for none.
    """

    name: str
    folder: Path
    title: str
    own: bool
    hook: bool
    error: FilterError | None
    hides: Path | None = None


class FilterLibrary:
    """Filters by name. One that takes the place of another is logged the first time.

    Args:
        folders: where to look; the first folder that has a name wins. The user's, then the shipped ones, if None.
    """

    def __init__(self, folders: tuple[Path, ...] | None = None) -> None:
        self.folders = folders or (user_filters(), SHIPPED)
        self._logged: set[Path] = set()

    def entries(self) -> list[FilterEntry]:
        """Return every filter, by name; those that cannot be used with the reason. Images are read, hooks not run."""
        found: dict[str, list[Path]] = {}
        for folder in self.folders:
            for spec in folder.glob(f"*/{SPEC_NAME}"):
                found.setdefault(spec.parent.name, []).append(spec.parent)
        names = sorted(name for name in found if not name.startswith(("_", ".")))
        return [replace(filter_entry(found[name][0]), hides=self._hidden(found[name])) for name in names]

    def find(self, name: str) -> Path:
        """Return the folder of a filter given by name or by path.

        Raises:
            UsageError: there is no such filter.
        """
        named = self.folders if Path(name).name == name else ()
        if found := [folder / name for folder in named if (folder / name / SPEC_NAME).is_file()]:
            self._hidden(found)
            return found[0]
        if (Path(name) / SPEC_NAME).is_file():
            return Path(name)
        names = [entry.name for entry in self.entries()]
        raise UsageError(
            f"There is no filter “{name}”",
            f"the filters here are: {', '.join(names) or 'none'}",
            suggestion(name, names, f"choose one of these, or give a folder with a {SPEC_NAME}"),
        )

    def _hidden(self, folders: list[Path]) -> Path | None:
        """Return the second of the filters of one name, which the first takes the place of; None if there is none."""
        if len(folders) > 1 and folders[0] not in self._logged:
            self._logged.add(folders[0])
            log.warning("The filter in %s is used, and not that in %s, which has the same name", *folders[:2])
        return folders[1] if len(folders) > 1 else None


def load_filter(folder: Path, hooks: bool = False) -> Filter:
    """Load the filter in a folder.

    Args:
        folder: holds `filter.toml` and its images.
        hooks: whether its Python file, if it names one, is run. Only for folders whose author the user trusts.

    Raises:
        FilterError: something is missing, cannot be read or makes no sense.
    """
    spec = read_spec(folder)
    images = read_images(folder, (layer.image for layer in spec.layers))
    layers = tuple(_layer(folder, layer, images[layer.image]) for layer in spec.layers)
    return Filter(folder, spec, layers, load_hook(folder / spec.hook, hooks) if spec.hook else None)


def _layer(folder: Path, spec: LayerSpec, image: LayerImage) -> LoadedLayer:
    if spec.mesh is None:
        return LoadedLayer(spec, image, None)
    file = folder / spec.mesh.landmarks
    if not os.path.lexists(file):
        raise FilterError(
            folder / SPEC_NAME,
            spec.line,
            f"the landmarks {file.name} are missing",
            "a mesh needs the landmarks of the face that is painted on its image",
            "put the file next to filter.toml; “understudy predict PICTURE --out DIR” writes such files",
        )
    try:
        points = read_pts(file, *(count for count, scheme in SCHEMES.items() if scheme.as_68))
        return LoadedLayer(spec, image, make_mesh(points[list(SCHEMES[len(points)].as_68)], image))
    except (PackError, ValueError) as error:
        raise FilterError(
            file,
            None,
            f"the landmarks cannot be used ({error.what if isinstance(error, PackError) else error})",
            "a .pts file with the 68 or 98 points of a face was expected",
            "write it again with “understudy predict PICTURE --out DIR”",
        ) from error


def filter_entry(folder: Path) -> FilterEntry:
    """Check the filter in a folder: its files are read, its hook is not run."""
    title, hook, error = folder.name, False, None
    try:
        spec = read_spec(folder)
        title, hook = spec.title, bool(spec.hook)
        load_filter(folder)
    except FilterError as failure:
        error = failure
    except Exception as failure:  # noqa: BLE001  whatever is wrong with one filter, the others are there
        error = FilterError(folder / SPEC_NAME, None, f"it fails ({reason(failure)})", "it is damaged", "copy it again")
    return FilterEntry(folder.name, folder, title, is_own(folder), hook, error)


def is_own(folder: Path) -> bool:
    """Return whether a filter is in the user's own folder of filters."""
    return user_filters().resolve() in folder.resolve().parents


def create_filter(name: str, parent: Path) -> Path:
    """Make the folder of a new filter of this name, as a small filter that works, and return it.

    The parent folder need not exist yet.

    Raises:
        UsageError: the name cannot be that of a folder, or is taken.
        OSError: the folder cannot be written.
    """
    is_text = name == name.encode(errors="replace").decode()  # and not bytes that are no UTF-8
    if name[:1] in ("", ".", "_", " ") or name != safe_name(name) or not is_text:
        raise UsageError(
            f"A filter cannot be called “{name}”",
            "the name becomes that of a folder",
            "use letters, digits, spaces and hyphens",
        )
    folder = parent / name
    if folder.exists():
        raise UsageError(
            f"{folder} is there already", "a filter of this name was made before", "choose another name or folder"
        )
    parent.mkdir(parents=True, exist_ok=True)
    remove_left_behind(parent)
    unfinished = partial_path(folder)
    try:
        unfinished.mkdir()
        for file in TEMPLATE.iterdir():
            shutil.copyfile(file, unfinished / file.name)
        spec = unfinished / SPEC_NAME
        text = spec.read_text(encoding="utf-8").replace(TITLE_LINE, f'name = "{name}"')
        spec.write_text(text, encoding="utf-8")
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder
