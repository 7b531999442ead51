"""The town plan: a warped grid of avenues (along the valley) and cross streets, and what stands in each block."""

from dataclasses import dataclass

import numpy as np

from ingest.demo.county.land import Land

AVENUES = (330.0, 690.0, 1040.0, 1400.0)
"""Distance north of the valley's river line, m, before jitter."""
AVENUE_NAMES = ("滨河路", "人民路", "建设大道", "北环路")
CROSS = 21
WEST_END, EAST_END = -3900.0, 3900.0
STREET_HALF = {0: 14.0, 1: 17.0, 2: 22.0, 3: 14.0}
CROSS_HALF = 11.0
CROSS_NAMES = ["西一路", "西二路", "西三路", "安定路", "崇文路", "西关路", "文化路", "解放路", "鼓楼街", "县府街", "中山路", "东关路", "育才路", "和平路", "兴业路", "东一路", "东二路", "迎宾路", "学府路", "科技路", "东环路"]  # fmt: skip

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Block:
    """One block between two cross streets ``i``, ``i + 1`` and two avenues ``k``, ``k + 1``."""

    i: int
    k: int
    use: str


class Plan:
    """Street corners in metres, and block uses."""

    def __init__(self, land: Land, seed: int) -> None:
        rng = np.random.default_rng((seed, 101))
        self.land = land
        gaps = rng.uniform(0.78, 1.22, CROSS - 1)
        u = np.concatenate([[0.0], np.cumsum(gaps)])
        self.u = WEST_END + (EAST_END - WEST_END) * u / u[-1]
        self.du = rng.normal(0.0, 16.0, (CROSS, len(AVENUES)))
        self.dv = rng.normal(0.0, 9.0, (CROSS, len(AVENUES)))
        self.slant = rng.uniform(0.02, 0.12)
        self.uses = self._assign(rng)

    def corner(self, i: int, k: int) -> Point:
        """Crossing of cross street ``i`` and avenue ``k``."""
        v = AVENUES[k] + self.dv[i, k]
        return self.at(self.u[i] + self.du[i, k], v)

    def at(self, u: float, v: float) -> Point:
        """A place ``u`` metres along the valley and ``v`` metres north of the smoothed river line."""
        x = u + self.slant * v
        return float(x), float(self.land.valley_y(x) - 620.0 + v)

    def street(self, i: int) -> list[Point]:
        """A cross street from the river road to the north."""
        return [self.corner(i, k) for k in range(len(AVENUES))]

    def avenue(self, k: int) -> list[Point]:
        """An avenue from west to east."""
        return [self.corner(i, k) for i in range(CROSS)]

    def block_ring(self, i: int, k: int, margin: float = 0.0) -> list[Point]:
        """Corners of a block inside its streets, counter-clockwise from the south-west."""
        a, b = STREET_HALF[k] + 6.0 + margin, STREET_HALF[k + 1] + 6.0 + margin
        c = CROSS_HALF + 6.0 + margin
        (x0, y0), (x1, y1) = self.corner(i, k), self.corner(i + 1, k)
        (x2, y2), (x3, y3) = self.corner(i + 1, k + 1), self.corner(i, k + 1)
        return [(x0 + c, y0 + a), (x1 - c, y1 + a), (x2 - c, y2 - b), (x3 + c, y3 - b)]

    def _assign(self, rng: np.random.Generator) -> dict[tuple[int, int], str]:
        """Uses by place: old town in the middle south, industry in the west, compounds elsewhere."""
        uses: dict[tuple[int, int], str] = {}
        fixed = {
            (9, 1): "government", (10, 1): "square", (8, 1): "market", (11, 2): "hospital", (6, 2): "school",
            (13, 1): "school", (17, 2): "school", (4, 1): "school", (9, 2): "park", (15, 0): "park", (3, 0): "park",
            (14, 2): "stadium", (19, 0): "bus_station", (0, 0): "industry", (0, 1): "industry", (0, 2): "industry",
            (1, 0): "industry", (1, 2): "industry", (8, 0): "old_town", (9, 0): "old_town", (10, 0): "old_town",
            (11, 0): "old_town", (7, 0): "old_town",
        }  # fmt: skip
        for i in range(CROSS - 1):
            for k in range(len(AVENUES) - 1):
                uses[(i, k)] = fixed.get((i, k), "compound")
        free = [b for b, use in uses.items() if use == "compound"]
        order = rng.permutation(len(free))
        for n in order[: max(len(free) - 28, 0)]:
            uses[free[n]] = "mixed"
        return uses
