"""One texture per tile: the picture from above, and below it strips of walls, packed in rows."""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ingest.demo.survey.walls import Strip

GAP_PX = 1


@dataclass(slots=True)
class Atlas:
    """Collects wall pieces under a square of ``px`` pixels."""

    px: int
    pieces: list[Strip] = field(default_factory=list)
    spots: list[tuple[int, int]] = field(default_factory=list)

    def add(self, piece: Strip) -> int:
        """Take a piece; returns its number."""
        self.pieces.append(piece[:, : self.px])
        return len(self.pieces) - 1

    def pack(self) -> int:
        """Give each piece its place, tallest first in shelves; returns the height of the whole."""
        order = sorted(range(len(self.pieces)), key=lambda i: (-self.pieces[i].shape[0], i))
        self.spots = [(0, 0)] * len(self.pieces)
        x, y, shelf = 0, self.px, 0
        for i in order:
            rows, cols, _ = self.pieces[i].shape
            if x + cols > self.px:
                x, y, shelf = 0, y + shelf, 0
            self.spots[i] = (x, y)
            shelf = max(shelf, rows + GAP_PX)
            x += cols + GAP_PX
        return y + shelf

    def draw(self, above: Image.Image, height: int) -> Image.Image:
        """The texture; ``above`` fills its upper square."""
        out = np.empty((height, self.px, 3), np.uint8)
        out[: self.px] = np.asarray(above)
        out[self.px :] = (150, 144, 134)
        for piece, (x, y) in zip(self.pieces, self.spots, strict=True):
            rows, cols, _ = piece.shape
            out[y : y + rows, x : x + cols] = piece
        return Image.fromarray(out)
