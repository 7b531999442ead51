"""Heat between water, steel, insulation and surroundings of many pipes (see :mod:`twin.heat.plugflow`).

Pipes are taken by the block and a block goes through one small loop after another: while one pipe waits for a
division the next are under way, and what a block needs stays near the processor.
"""

from math import isnan, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.heat.compiled import CONTRACT, inline, inner, outer
from twin.heat.kernels import quick_temperature
from twin.heat.plugflow import (
    BLOCK,
    CONTENT,
    EXCESS,
    MEAN,
    WATER_SHARE,
    Pipes,
    Way,
    couple,
    let_in,
    settle_flushed,
)
from twin.heat.quick import look_up_film, volume_m3_kg

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Scratch(NamedTuple):
    """Of one block: ``water`` (BLOCK,) kg beside the walls, ``t`` (BLOCK, n_parcel) temperatures of the
    parcels, ``beside`` (BLOCK, n_cell) kg K of water beside a cell less its wall."""

    water: Floats
    t: Floats
    beside: Floats


@inner(fastmath=CONTRACT)
def fill_block(p: Pipes, s: Scratch, m: Floats, way: Way, first: int, last: int, dt: float) -> None:
    """Water enters the pipes ``first`` to ``last`` of a block."""
    mass, h, ring, known, water, cap = p.mass, p.h, p.ring, p.known, s.water, p.mass.shape[1]
    entered, h_in, t_steel = way.entered, way.h_in, way.t_steel
    for k in range(first, last):
        content = entered[k]
        if isnan(t_steel[k]):
            if content > 0.0:
                let_in(k, mass, h, ring, known, content, m[k] > 0.0, h_in[k])
            content = 0.0
            for j in range(cap):
                content += mass[k, j]
            if abs(content - known[CONTENT, k]) > WATER_SHARE * content:
                t = quick_temperature(known[MEAN, k])
                film, cp, _ = look_up_film(abs(m[k]), p.diameter[k], t)
                way.given[k] = couple(cp, film, p.wall[k, 0], p.length[k], content, dt)
        water[k - first] = content


@inline()
def disperse(k: int, mass: Floats, h: Floats, ring: Ints, from_start: bool, factor: float) -> None:
    """Mix neighbouring parcels by axial dispersion; ``factor`` = 2 (kg/m)² D dt."""
    cap, first, count = mass.shape[1], ring[k, 0], ring[k, 1]
    for n in range(count - 1):
        i = first + (n if from_start else count - 2 - n)
        i = i - cap if i >= cap else i
        j = 0 if i + 1 == cap else i + 1
        m1, m2 = mass[k, i], mass[k, j]
        # implicit exchange of J = m1 m2 / (m1 + m2) dh x / (1 + x), x = factor / (m1 m2); one division
        part = (h[k, i] - h[k, j]) * factor / ((m1 + m2) * (m1 * m2 + factor))
        h[k, i] -= part * m2
        h[k, j] += part * m1


@inner(fastmath=CONTRACT)
def mix_block(p: Pipes, s: Scratch, m: Floats, way: Way, first: int, last: int) -> None:
    """Let water mix along its pipe, and read its temperatures."""
    mass, h, ring, mix, t, t_steel = p.mass, p.h, p.ring, way.mix, s.t, way.t_steel
    for k in range(first, last):
        if mix[k] > 0.0 and isnan(t_steel[k]):
            disperse(k, mass, h, ring, m[k] > 0.0, mix[k])
    h_row, t_row = h[first:last].reshape(-1), t[: last - first].reshape(-1)
    for q in range(h_row.shape[0]):
        t_row[q] = quick_temperature(h_row[q])


@inline()
def fill_flushed(
    k: int, mass: Floats, h: Floats, ring: Ints, t_wall: Floats, given: float, m_in: float, h_in: float,
    length: float, diameter: float, b: int, beside: Floats,
) -> None:  # fmt: skip
    """A flushed pipe holds one parcel; fills row ``b`` of ``beside`` (see :func:`flush_pipe`)."""
    n_cell, t, total = t_wall.shape[1], quick_temperature(h_in), 0.0
    for i in range(n_cell):
        beside[b, i] = m_in / n_cell * (t - t_wall[k, i])
        total += beside[b, i]
    for j in range(mass.shape[1]):
        mass[k, j] = 0.0
    ring[k, 0], ring[k, 1] = 0, 1
    mass[k, 0], h[k, 0] = settle_flushed(m_in, h_in, given * total, length, diameter)


@inner(fastmath=CONTRACT)
def warm_block(before: Pipes, p: Pipes, s: Scratch, way: Way, first: int, last: int) -> None:
    """Parcels go their share of the way to the temperature of the walls beside them.

    A parcel lies beside a first and a last cell, and whole ones between them. Fills ``beside``.
    """
    mass, h, ring, t_wall, water = p.mass, p.h, p.ring, before.t_wall, s.water
    given, t, beside, entered, h_in, t_steel = way.given, s.t, s.beside, way.entered, way.h_in, way.t_steel
    cap, n_cell = mass.shape[1], t_wall.shape[1]
    beside[:] = 0.0
    for k in range(first, last):
        b, j, begin, a = k - first, ring[k, 0], 0.0, 0
        if not isnan(t_steel[k]):
            fill_flushed(
                k, mass, h, ring, t_wall, given[k], entered[k], h_in[k], p.length[k], p.diameter[k], b, beside
            )
            continue
        m_cell, per_kg = water[b] / n_cell, n_cell / water[b]
        for _ in range(ring[k, 1]):
            m, t_j, t_a = mass[k, j], t[b, j], t_wall[k, a]
            end = begin + m
            z = min(int(end * per_kg), n_cell - 1)
            left = min(m, (a + 1) * m_cell - begin) if z > a else m
            rest, walls = m - left, left * t_a
            beside[b, a] += left * (t_j - t_a)
            for i in range(a + 1, z):
                rest -= m_cell
                walls += m_cell * t_wall[k, i]
                beside[b, i] += m_cell * (t_j - t_wall[k, i])
            t_z = t_wall[k, z]
            beside[b, z] += rest * (t_j - t_z)
            h[k, j] += given[k] * ((walls + rest * t_z) / m - t_j)
            begin, a = end, z
            j = 0 if j + 1 == cap else j + 1


@inner(fastmath=CONTRACT)
def settle_block(
    before: Pipes,
    p: Pipes,
    s: Scratch,
    way: Way,
    loss: Floats,
    first: int,
    last: int,
    t_ground: float,
    dt: float,
) -> float:
    """Wall cells and insulation take what the water gives; returns J lost to the surroundings."""
    t_wall, t_shell, wall, beside, total = p.t_wall, p.t_shell, p.wall, s.beside, 0.0
    old_wall, old_shell = before.t_wall, before.t_shell
    n_cell = t_wall.shape[1]
    for k in range(first, last):
        b, size, lost = k - first, p.length[k] / n_cell, 0.0
        c_wall, c_shell = wall[k, 0] * size, wall[k, 1] * size
        g1, g2, given = wall[k, 2] * size * dt, wall[k, 3] * size * dt, way.given[k]
        b11, b22, ground = c_wall + g1, c_shell + g1 + g2, g2 * t_ground
        inverse = 1.0 / (b11 * b22 - g1 * g1)
        for i in range(n_cell):
            r1, r2 = c_wall * old_wall[k, i] + given * beside[b, i], c_shell * old_shell[k, i] + ground
            t_new = (r2 * b11 + r1 * g1) * inverse
            t_wall[k, i] = (r1 * b22 + r2 * g1) * inverse
            t_shell[k, i] = t_new
            lost += t_new - t_ground
        loss[k] = g2 * lost / dt
        total += g2 * lost
    return total


@inner(fastmath=CONTRACT)
def survey_block(p: Pipes, t: Floats, first: int, last: int) -> float:
    """Look what pipes hold: fills ``known`` with content, excess and mean enthalpy of their water.

    ``t`` (BLOCK, n_parcel) is scratch.

    Returns
    -------
    energy in water (above 0 °C), walls and insulation, J
    """
    mass, h, t_wall, t_shell, known, wall, length, diameter = (
        p.mass, p.h, p.t_wall, p.t_shell, p.known, p.wall, p.length, p.diameter
    )  # fmt: skip
    cap, n_cell, total = mass.shape[1], t_wall.shape[1], 0.0
    h_row, v_row = h[first:last].reshape(-1), t[: last - first].reshape(-1)
    for q in range(h_row.shape[0]):
        v_row[q] = volume_m3_kg(h_row[q])
    for k in range(first, last):
        volume, content, joule, steel, foam = 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(cap):
            m = mass[k, j]
            volume += m * t[k - first, j]
            content += m
            joule += m * h[k, j]
        for i in range(n_cell):
            steel += t_wall[k, i]
            foam += t_shell[k, i]
        known[CONTENT, k], known[MEAN, k] = content, joule / content
        known[EXCESS, k] = volume - 0.25 * pi * diameter[k] * diameter[k] * length[k]
        total += joule + length[k] / n_cell * (wall[k, 0] * steel + wall[k, 1] * foam)
    return total


@outer()
def survey_pipes(p: Pipes) -> float:
    """What all pipes hold (see :func:`survey_block`), J."""
    n, held = p.mass.shape[0], 0.0
    t = np.empty((min(BLOCK, n), p.mass.shape[1]))
    for first in range(0, n, BLOCK):
        held += survey_block(p, t, first, min(first + BLOCK, n))
    return held


@outer()
def exchange_pipes(
    before: Pipes, p: Pipes, m: Floats, way: Way, t_ground: float, dt: float, loss: Floats
) -> tuple[float, float]:
    """Let water enter all pipes, exchange heat, and look what they hold then.

    Walls are read from ``before`` and written to ``p`` (which may be the same); ``m`` (n_pipe,) kg/s;
    ``loss`` (n_pipe,) W to the surroundings is filled.

    Returns
    -------
    J lost to the surroundings in all pipes, J held by them
    """
    n, lost, held = m.shape[0], 0.0, 0.0
    size = min(BLOCK, n)
    s = Scratch(np.empty(size), np.empty((size, p.mass.shape[1])), np.empty((size, p.t_wall.shape[1])))
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        fill_block(p, s, m, way, first, last, dt)
        mix_block(p, s, m, way, first, last)
        warm_block(before, p, s, way, first, last)
        lost += settle_block(before, p, s, way, loss, first, last, t_ground, dt)
        held += survey_block(p, s.t, first, last)
    return lost, held
