"""The program itself, with one recipe more: `tiny`, a run of a few steps that needs no GPU.

The pack of the sample is rendered from a quarter of it: 90 frames, of which 15 are of the split `test`.
"""

import sys

from app.cli.main import main
from tests.fakes.tiny_training import tiny
from trainer.data import rendered
from trainer.recipes import RECIPES

if __name__ == "__main__":
    RECIPES["tiny"] = tiny()
    rendered.LOOP_SECONDS /= 4
    sys.exit(main())
