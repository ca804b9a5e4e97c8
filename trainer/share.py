"""How several processes divide a batch among themselves."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Share:
    """The consecutive rows of every batch that one of several processes takes.

    Attributes:
        rank: number of the process, from 0.
        processes: how many there are.
    """

    rank: int = 0
    processes: int = 1

    @property
    def whole(self) -> bool:
        """Whether this is the whole batch."""
        return self.processes == 1

    def rows(self, batch: int) -> torch.Tensor:
        """Return the numbers of this share's rows in a batch of `batch` rows."""
        return torch.arange(batch).tensor_split(self.processes)[self.rank]

    def rows_with_neighbour(self, batch: int) -> torch.Tensor:
        """Return the same rows, led by the row before them unless they are the whole batch.

        Augmentation covers a part of a picture by the picture before it, so a share needs that one too.
        """
        rows = self.rows(batch)
        return rows if self.whole else torch.cat([(rows[:1] - 1) % batch, rows])
