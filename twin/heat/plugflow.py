"""Plug flow of water through pipes with walls that store heat.

Water is a queue of parcels (mass, enthalpy) between the start and the end of a pipe: a step pushes what
enters at one end and lets the same volume leave at the other, so a temperature front keeps its shape whatever
the step. The wall is a row of fixed cells with one insulation node each. After every move the parcels and the
wall cells beside them exchange heat by the exact solution of the two-capacity problem; wall, insulation and
surroundings follow implicitly. What one side loses the other gains, so energy is conserved to rounding, and
every new temperature is a mean of old ones, so none leaves the range of what came in.

A step has three parts. What leaves every pipe is known before anything has entered: as much as the water last
seen at its entrance would displace, and what the pipe holds too much (what enters may differ from that by a
little, which is put right in the next step). Mixing then goes from point to point in flow order
(:mod:`twin.heat.transient_kernel`) and looks at two numbers per pipe. At last water enters the queues and
exchanges heat (:mod:`twin.heat.exchange`). First and last part take the pipes as they lie in memory. What
leaves pipes that hold less than one step brings (:func:`flush_pipe`) is worked out in flow order.
"""

from math import nan, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.heat.compiled import CONTRACT, inline, inner
from twin.heat.kernels import quick_temperature
from twin.heat.quick import decay, film_and_dispersion, look_up_film, volume_m3_kg
from twin.heat.thermal import STILL_KG_S

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONTENT, EXCESS, MEAN = range(3)
N_KNOWN = 3
"""Rows of ``known``: of the water in the pipe kg, m³ beyond what the pipe holds, mean enthalpy J/kg."""
FILM_K, WATER_SHARE = 1.0, 0.02
"""What water gives to its wall is worked out again where water enters that is so much warmer or colder than
what it was worked out for, or where it is so much more or less."""


BLOCK = 256
"""Pipes that are worked on together: what they need stays near the processor."""


class Pipes(NamedTuple):
    """Many pipes in shared arrays, one row each. Rows are never sliced: it would cost more than the physics.

    ``mass``, ``h`` (n_pipe, n_parcel) used as rings, ``ring`` (n_pipe, 2) = [first, count]; unused places
    have no mass. ``t_wall``, ``t_shell`` (n_pipe, n_cell) steel and insulation, °C; ``known`` (3, n_pipe).
    Unchanged: ``wall`` (n_pipe, 4) capacities of wall and insulation, J/(m K), conductances wall to
    insulation node and insulation node to surroundings, W/(m K); ``length``, ``diameter`` (n_pipe,) m.
    """

    mass: Floats
    h: Floats
    ring: Ints
    t_wall: Floats
    t_shell: Floats
    known: Floats
    wall: Floats
    length: Floats
    diameter: Floats


class Way(NamedTuple):
    """What passes the ends of all pipes in one step (n_pipe,): ``gone`` kg and ``energy`` J leave,
    ``entered`` kg of ``h_in`` J/kg come in; ``t_steel`` is the mean temperature of the wall where the pipe is
    to be flushed, NaN elsewhere. ``given`` J/(kg K) that water gives to its wall (:func:`couple`), ``mix``
    2 (kg/m)² D dt of dispersion."""

    gone: Floats
    energy: Floats
    entered: Floats
    h_in: Floats
    t_steel: Floats
    given: Floats
    mix: Floats


@inline()
def begin_way(n_pipe: int) -> Way:
    """Room for one step."""
    w = np.empty((7, n_pipe))
    return Way(w[0], w[1], w[2], w[3], w[4], w[5], w[6])


@inline()
def push(
    k: int, mass: Floats, h: Floats, ring: Ints, at_start: bool, m: float, h_in: float, small: float
) -> None:
    """Add ``m`` kg at one end. It joins the parcel there while that one is below ``small`` kg."""
    cap, first, count = mass.shape[1], ring[k, 0], ring[k, 1]
    j = first if at_start else first + count - 1
    j = j - cap if j >= cap else j
    if count > 0 and (mass[k, j] < small or count >= cap):
        joint = mass[k, j] + m
        h[k, j] = (h[k, j] * mass[k, j] + h_in * m) / joint
        mass[k, j] = joint
        return
    if at_start:
        j = cap - 1 if first == 0 else first - 1
        ring[k, 0] = j
    else:
        j = first + count
        j = j - cap if j >= cap else j
    mass[k, j] = m
    h[k, j] = h_in
    ring[k, 1] = count + 1


@inline()
def pop(k: int, mass: Floats, h: Floats, ring: Ints, at_start: bool, over: float) -> tuple[float, float]:
    """Let ``over`` m³ leave at one end.

    Returns
    -------
    kg and J (enthalpy) that left
    """
    cap, gone, energy = mass.shape[1], 0.0, 0.0
    while over > 0.0 and ring[k, 1] > 0:
        j = ring[k, 0]
        if not at_start:
            j = j + ring[k, 1] - 1
            j = j - cap if j >= cap else j
        here = mass[k, j]
        leave = over / volume_m3_kg(h[k, j])
        if leave < here or ring[k, 1] == 1:
            leave = min(leave, 0.999999 * here)
            mass[k, j] = here - leave
            gone += leave
            energy += leave * h[k, j]
            break
        gone += here
        energy += here * h[k, j]
        over *= 1.0 - here / leave
        mass[k, j] = 0.0
        if at_start:
            ring[k, 0] = 0 if j + 1 == cap else j + 1
        ring[k, 1] -= 1
    return gone, energy


@inline()
def couple(cp: float, film: float, c_wall_m: float, size: float, m_cell: float, dt: float) -> float:
    """J/(kg K) that ``m_cell`` kg of water give to the wall cell of ``size`` m beside them, in one step.

    ``cp`` J/(kg K) of the water, ``film`` W/(m K), ``c_wall_m`` J/(m K) of the wall.
    """
    c_water, c_wall = m_cell * cp, c_wall_m * size
    both = c_water + c_wall
    return cp * c_wall / both * (1.0 - decay(film * size * dt * both / (c_water * c_wall)))


@inline()
def let_out(
    k: int, mass: Floats, h: Floats, ring: Ints, known: Floats, m_in: float, at_end: bool, v_in: float
) -> tuple[float, float]:
    """Let leave what ``m_in`` kg of ``v_in`` m³/kg will push out of pipe ``k``, and what it holds too much.

    Returns
    -------
    kg and J that leave at the end (``at_end``) or at the start
    """
    return pop(k, mass, h, ring, not at_end, known[EXCESS, k] + m_in * v_in)


@inline()
def let_in(
    k: int, mass: Floats, h: Floats, ring: Ints, known: Floats, m_in: float, at_start: bool, h_in: float
) -> None:
    """Let ``m_in`` kg of ``h_in`` J/kg follow what has left."""
    push(k, mass, h, ring, at_start, m_in, h_in, known[CONTENT, k] / (mass.shape[1] - 2))


@inline()
def flush_pipe(
    k: int, known: Floats, wall: Floats, length: float, diameter: float, way: Way, flow: float, dt: float
) -> tuple[float, float]:
    """More enters than the pipe holds: the old water leaves, all that enters shares the wall, the rest stays
    (:func:`twin.heat.exchange.fill_flushed` writes it down). ``flow`` kg/s was expected.

    Returns
    -------
    kg and J that leave
    """
    m_in, h_in, content, h_mean = way.entered[k], way.h_in[k], known[CONTENT, k], known[MEAN, k]
    t, m_due = quick_temperature(h_in), flow * dt
    if abs(t - quick_temperature(h_mean)) > FILM_K or abs(m_in - m_due) > WATER_SHARE * m_due:
        film, cp, _ = look_up_film(m_in / dt, diameter, t)
        way.given[k] = couple(cp, film, wall[k, 0], length, m_in, dt)
    taken = way.given[k] * m_in * (t - way.t_steel[k])
    stays, h_new = settle_flushed(m_in, h_in, taken, length, diameter)
    return content + m_in - stays, content * h_mean + (m_in - stays) * h_new


@inline()
def settle_flushed(
    m_in: float, h_in: float, taken: float, length: float, diameter: float
) -> tuple[float, float]:
    """kg that stay of ``m_in`` kg, of which the wall has taken ``taken`` J, and their enthalpy J/kg."""
    h_new = h_in - taken / m_in
    return min(0.25 * pi * diameter * diameter * length / volume_m3_kg(h_new), m_in), h_new


@inner(fastmath=CONTRACT)
def couple_block(
    m: Floats, content: Floats, mean: Floats, wall: Floats, length: Floats, diameter: Floats, given: Floats,
    mix: Floats, film: Floats, cp: Floats, dt: float,
) -> None:  # fmt: skip
    """What the water of a block of pipes gives to its wall at its mean temperature, and how it disperses.

    Short loops without branches: the compiler takes several pipes in one instruction. ``film``, ``cp`` and
    first ``mix`` are scratch.
    """
    n = m.shape[0]
    for k in range(n):
        film[k], cp[k], mix[k] = film_and_dispersion(
            4.0 / pi * abs(m[k]) / diameter[k], quick_temperature(mean[k])
        )
    for k in range(n):
        given[k] = couple(cp[k], film[k], wall[k, 0], length[k], max(content[k], abs(m[k]) * dt), dt)
    for k in range(n):
        flow = abs(m[k]) if abs(m[k]) > STILL_KG_S else 0.0
        mix[k] *= 2.0 * content[k] * flow * dt * diameter[k] / length[k]


@inner()
def copy_queues(before: Pipes, p: Pipes, first: int, last: int) -> None:
    """Copy the water of the pipes ``first`` to ``last``."""
    p.mass[first:last] = before.mass[first:last]
    p.h[first:last] = before.h[first:last]
    p.ring[first:last] = before.ring[first:last]


@inner(fastmath=CONTRACT)
def release_block(
    before: Pipes, p: Pipes, way: Way, m: Floats, start: Ints, end: Ints, h_point: Floats, first: int,
    last: int, dt: float,
) -> None:  # fmt: skip
    """Let leave what flows push out of the pipes ``first`` to ``last``; see :func:`release_pipes`."""
    mass, h, ring, known, t_wall = p.mass, p.h, p.ring, p.known, before.t_wall
    gone, energy, entered, t_steel = way.gone, way.energy, way.entered, way.t_steel
    n_cell = t_wall.shape[1]
    for k in range(first, last):
        m_in, ahead = abs(m[k]) * dt, m[k] > 0.0
        gone[k], energy[k], entered[k], t_steel[k] = 0.0, 0.0, 0.0, nan
        if abs(m[k]) <= STILL_KG_S:
            continue
        if m_in > known[CONTENT, k]:
            total = 0.0
            for i in range(n_cell):
                total += t_wall[k, i]
            t_steel[k] = total / n_cell
            continue
        v_in = volume_m3_kg(h_point[start[k] if ahead else end[k]])
        gone[k], energy[k] = let_out(k, mass, h, ring, known, m_in, ahead, v_in)


@inner()
def release_pipes(
    before: Pipes, p: Pipes, m: Floats, start: Ints, end: Ints, h_point: Floats, dt: float
) -> Way:
    """Let leave what flows ``m`` (n_pipe,) kg/s push out of the pipes in ``dt`` s.

    ``before`` is left as it is and ``p`` gets queues of its own; or both are the same. ``h_point`` (n_point,)
    was there last at the points ``start`` and ``end``. Of pipes to be flushed nothing is moved yet.
    """
    n_pipe, own = m.shape[0], before.mass.ctypes.data != p.mass.ctypes.data
    way, content, mean = begin_way(n_pipe), p.known[CONTENT], p.known[MEAN]
    film, cp = np.empty(BLOCK), np.empty(BLOCK)
    for a in range(0, n_pipe, BLOCK):
        z = min(a + BLOCK, n_pipe)
        couple_block(
            m[a:z], content[a:z], mean[a:z], p.wall[a:z], p.length[a:z], p.diameter[a:z], way.given[a:z],
            way.mix[a:z], film, cp, dt,
        )  # fmt: skip
        if own:
            copy_queues(before, p, a, z)
        release_block(before, p, way, m, start, end, h_point, a, z, dt)
    return way
