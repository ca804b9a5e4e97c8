"""A filter loaded from its folder, with everything needed to draw it."""

from __future__ import annotations

from pathlib import Path

from engine.core.errors import FilterError, PackError
from engine.core.schemes import SCHEMES
from engine.filters.hook import compile_hook, run_hook_file
from engine.filters.images import LayerImage, read_image
from engine.filters.mesh import make_mesh
from engine.filters.painter import Filter, LoadedLayer
from engine.filters.reading import SPEC_NAME, read_spec
from engine.filters.spec import LayerSpec
from engine.formats.pts import read_pts


def load_filter(folder: Path, hooks: bool = False) -> Filter:
    """Load the filter in a folder.

    Args:
        folder: holds `filter.toml` and its images.
        hooks: whether its Python file, if it names one, is run. Only for folders whose author the user trusts.

    Raises:
        FilterError: something is missing, cannot be read or makes no sense.
    """
    spec = read_spec(folder)
    images = {layer.image: read_image(folder / layer.image) for layer in spec.layers}
    layers = tuple(_layer(folder, layer, images[layer.image]) for layer in spec.layers)
    hook = None
    if spec.hook:
        program = compile_hook(folder / spec.hook)
        hook = run_hook_file(folder / spec.hook, program) if hooks else None
    return Filter(folder, spec, layers, hook)


def _layer(folder: Path, spec: LayerSpec, image: LayerImage) -> LoadedLayer:
    if spec.mesh is None:
        return LoadedLayer(spec, image, None)
    file = folder / spec.mesh.landmarks
    if not file.is_file():
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
