"""Friction of many pipes at once: the same law as :mod:`twin.heat.friction` without branches.

Every pipe takes the same path, so that the compiler can work on several in one instruction. Colebrook's
equation ``x + 2 log10(a + b x) = 0``, ``x = 1/sqrt(f)``, needs one logarithm: the first guess has it, and the
two steps after it (one of third, one of second order) need the logarithms of ratios near one only, which
series give. What is left of the equation, checked with the library's logarithm, is below 1e-9 of ``x`` for
Re 4000..1e8 and relative roughness 0..0.05.
"""

from math import log
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from twin.heat.compiled import inner, outer
from twin.heat.friction import RE_LAMINAR, RE_TURBULENT, TWO_BY_LN10

Floats = NDArray[np.float64]

LN2 = log(2.0)
BELOW_SQRT_HALF = 0x3FF0000000000000 - 0x3FE6A09E667F3BCD
"""Added to the bits of a number it carries into the exponent from sqrt(1/2) on."""
TWO_52_BITS, TWO_52 = 0x4330000000000000, 4503599627370496.0
GUESS = 8.0
"""``1/sqrt(f)`` in the first logarithm; it lies between 4 and 13."""


def _cast_to_bits(typing: Any, x: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), generate


def _cast_from_bits(typing: Any, x: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), generate


_bits_of: Any = intrinsic(_cast_to_bits)
_from_bits: Any = intrinsic(_cast_from_bits)


@inner()
def fast_log(x: float) -> float:
    """Natural logarithm of a positive normal number to 2e-12 (absolute, of the mantissa's part)."""
    bits = _bits_of(x)
    power = (bits + BELOW_SQRT_HALF) >> 52
    z = _from_bits(bits - ((power - 1023) << 52)) - 1.0
    exponent = _from_bits(power | TWO_52_BITS) - (TWO_52 + 1023.0)
    r = z / (2.0 + z)
    w = r * r
    series = 1 / 3 + w * (1 / 5 + w * (1 / 7 + w * (1 / 9 + w * (1 / 11 + w * (1 / 13)))))
    out: float = exponent * LN2 + 2.0 * r * (1.0 + w * series)
    return out


RE_PER_FLOW, K_REL, PER_LENGTH, PER_SQUARE = 0, 1, 2, 3


@outer()
def evaluate_drops(m: Floats, constants: Floats, dp: Floats, slope: Floats) -> None:
    """Fill ``dp`` (Pa, sign of ``m``) and ``slope`` (Pa s/kg) of pipes at flows ``m`` (kg/s), all (n,).

    Rows of ``constants`` (4 or more, n): ``RE_PER_FLOW`` ``4 / (pi d mu)``; ``K_REL`` roughness over
    diameter; ``PER_LENGTH`` ``L / (2 rho A**2 d)``; ``PER_SQUARE`` losses quadratic in the flow, Pa s²/kg².
    """
    re_per_flow, k_rel = constants[RE_PER_FLOW], constants[K_REL]
    per_length, per_square = constants[PER_LENGTH], constants[PER_SQUARE]
    for i in range(m.shape[0]):
        size = abs(m[i])
        re = size * re_per_flow[i]
        a, b = k_rel[i] * (1.0 / 3.7), 2.51 / max(re, RE_TURBULENT)
        s0 = a + GUESS * b
        x0 = -TWO_BY_LN10 * fast_log(s0)
        s = a + b * x0
        z = (s - s0) / (s + s0)
        w = z * z
        series = 1 / 3 + w * (1 / 5 + w * (1 / 7 + w * (1 / 9 + w * (1 / 11 + w * (1 / 13)))))
        y = 2.0 * TWO_BY_LN10 * z * (1.0 + w * series)
        r = b / s
        inverse = 1.0 / (1.0 + TWO_BY_LN10 * r)
        step = y * inverse
        x1 = x0 - step * (1.0 - 0.5 * TWO_BY_LN10 * r * r * inverse * step)
        s1 = a + b * x1
        z = (s1 - s) / (s1 + s)
        w = z * z
        y += 2.0 * TWO_BY_LN10 * z * (1.0 + w * (1 / 3 + w * (1 / 5))) + (x1 - x0)
        r = b / s1
        step = y / (1.0 + TWO_BY_LN10 * r)
        x = x1 - step
        r *= 1.0 + r * step
        f = 1.0 / (x * x)
        re_df = -2.0 * f * TWO_BY_LN10 * r / (1.0 + TWO_BY_LN10 * r)
        # the cubic between Re 2000 and 4000; above, it is not used
        width = RE_TURBULENT - RE_LAMINAR
        f0 = 64.0 / RE_LAMINAR
        d0 = -f0 / RE_LAMINAR * width
        d1 = re_df / RE_TURBULENT * width
        t = min(max((re - RE_LAMINAR) * (1.0 / width), 0.0), 1.0)
        c2 = 3.0 * (f - f0) - 2.0 * d0 - d1
        c3 = 2.0 * (f0 - f) + d0 + d1
        f_cubic = f0 + t * (d0 + t * (c2 + t * c3))
        re_df_cubic = re * (1.0 / width) * (d0 + t * (2.0 * c2 + 3.0 * t * c3))
        f = f_cubic if re < RE_TURBULENT else f
        re_df = re_df_cubic if re < RE_TURBULENT else re_df
        line = 64.0 * per_length[i] / re_per_flow[i]
        chord = per_length[i] * f * size if re > RE_LAMINAR else line
        more = per_length[i] * (f + re_df) * size if re > RE_LAMINAR else 0.0
        dp[i] = (chord + per_square[i] * size) * m[i]
        slope[i] = chord + more + 2.0 * per_square[i] * size
