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
from twin.heat.plugflow import CONTENT, DISPERSION, EXCESS, MEAN, Pipes, couple, look_up_film
from twin.heat.quick import volume_m3_kg
from twin.heat.thermal import STILL_KG_S

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK = 256
"""Pipes per block."""
GIVEN, WALL, SHELL, INSIDE, OUTSIDE, MIX, N_WORK = range(7)
"""Columns of ``work``: what :func:`twin.heat.plugflow.couple` returns, and 2 (kg/m)² D dt of dispersion."""


class Scratch(NamedTuple):
    """Of one block: ``work`` (BLOCK, 6), ``t`` (BLOCK, n_parcel) temperatures of the parcels, ``beside``
    (BLOCK, n_cell) kg K of water beside a cell less its wall."""

    work: Floats
    t: Floats
    beside: Floats


@inner(fastmath=CONTRACT)
def prepare_block(p: Pipes, w: Floats, m: Floats, loss: Floats, first: int, last: int, dt: float) -> None:
    """Films and coefficients of the pipes ``first`` to ``last`` of a block."""
    mass, h, ring, known, wall, length, diameter = p.mass, p.h, p.ring, p.known, p.wall, p.length, p.diameter
    cap, n_cell = mass.shape[1], p.t_wall.shape[1]
    for k in range(first, last):
        if not isnan(loss[k]):
            continue
        content, flow = 0.0, abs(m[k])
        for j in range(cap):
            content += mass[k, j]
        flow = flow if flow > STILL_KG_S else 0.0
        j = ring[k, 0] + ring[k, 1] // 2
        look_up_film(k, known, diameter[k], flow, quick_temperature(h[k, j - cap if j >= cap else j]))
        known[k, CONTENT] = content
        b = k - first
        w[b, MIX] = 2.0 * content * known[k, DISPERSION] * flow * dt * diameter[k] / length[k]
        w[b, GIVEN], w[b, WALL], w[b, SHELL], w[b, INSIDE], w[b, OUTSIDE] = couple(
            k, known, wall, length[k] / n_cell, content / n_cell, dt
        )


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
def mix_block(p: Pipes, s: Scratch, m: Floats, loss: Floats, first: int, last: int) -> None:
    """Let water mix along its pipe, and read its temperatures."""
    mass, h, ring, work, t = p.mass, p.h, p.ring, s.work, s.t
    for k in range(first, last):
        if isnan(loss[k]) and work[k - first, MIX] > 0.0:
            disperse(k, mass, h, ring, m[k] > 0.0, work[k - first, MIX])
    h_row, t_row = h[first:last].reshape(-1), t[: last - first].reshape(-1)
    for q in range(h_row.shape[0]):
        t_row[q] = quick_temperature(h_row[q])


@inner(fastmath=CONTRACT)
def warm_block(p: Pipes, s: Scratch, loss: Floats, first: int, last: int) -> None:
    """Parcels go their share of the way to the temperature of the walls beside them.

    A parcel lies beside a first and a last cell, and whole ones between them. Fills ``beside``.
    """
    mass, h, ring, t_wall, known = p.mass, p.h, p.ring, p.t_wall, p.known
    work, t, beside = s.work, s.t, s.beside
    cap, n_cell = mass.shape[1], t_wall.shape[1]
    beside[:] = 0.0
    for k in range(first, last):
        if not isnan(loss[k]):
            continue
        b, j, begin, a = k - first, ring[k, 0], 0.0, 0
        m_cell, per_kg, given = known[k, CONTENT] / n_cell, n_cell / known[k, CONTENT], work[b, GIVEN]
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
            h[k, j] += given * ((walls + rest * t_z) / m - t_j)
            begin, a = end, z
            j = 0 if j + 1 == cap else j + 1


@inner(fastmath=CONTRACT)
def settle_block(
    p: Pipes, s: Scratch, loss: Floats, first: int, last: int, t_ground: float, dt: float
) -> float:
    """Wall cells and insulation take what the water gives; returns J lost to the surroundings."""
    t_wall, t_shell, work, beside, total = p.t_wall, p.t_shell, s.work, s.beside, 0.0
    n_cell = t_wall.shape[1]
    for k in range(first, last):
        if isnan(loss[k]):
            b, lost = k - first, 0.0
            given, b11, b22, g1, g2 = (
                work[b, GIVEN],
                work[b, WALL],
                work[b, SHELL],
                work[b, INSIDE],
                work[b, OUTSIDE],
            )
            inverse, c_wall, c_shell, ground = (
                1.0 / (b11 * b22 - g1 * g1),
                b11 - g1,
                b22 - g1 - g2,
                g2 * t_ground,
            )
            for i in range(n_cell):
                r1, r2 = c_wall * t_wall[k, i] + given * beside[b, i], c_shell * t_shell[k, i] + ground
                t_new = (r2 * b11 + r1 * g1) * inverse
                t_wall[k, i] = (r1 * b22 + r2 * g1) * inverse
                t_shell[k, i] = t_new
                lost += t_new - t_ground
            loss[k] = g2 * lost / dt
        total += loss[k] * dt
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
        known[k, CONTENT], known[k, MEAN] = content, joule / content
        known[k, EXCESS] = volume - 0.25 * pi * diameter[k] * diameter[k] * length[k]
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
def exchange_pipes(p: Pipes, m: Floats, t_ground: float, dt: float, loss: Floats) -> tuple[float, float]:
    """Exchange heat in all pipes that flow ``m`` (n_pipe,) kg/s, and look what they hold then.

    ``loss`` (n_pipe,) W to the surroundings is filled where it is NaN; elsewhere heat has been exchanged.

    Returns
    -------
    J lost to the surroundings in all pipes, J held by them
    """
    n, lost, held = m.shape[0], 0.0, 0.0
    size = min(BLOCK, n)
    s = Scratch(
        np.empty((size, N_WORK)), np.empty((size, p.mass.shape[1])), np.empty((size, p.t_wall.shape[1]))
    )
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        prepare_block(p, s.work, m, loss, first, last, dt)
        mix_block(p, s, m, loss, first, last)
        warm_block(p, s, loss, first, last)
        lost += settle_block(p, s, loss, first, last, t_ground, dt)
        held += survey_block(p, s.t, first, last)
    return lost, held
