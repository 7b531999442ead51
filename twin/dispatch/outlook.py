"""What is expected of the hours ahead."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """One row per step, (K,): ``t`` its end (s since 1970 UTC), ``dt_s``, ``t_out_c`` with ``sigma_k`` its
    error, ``wind_m_s``, ``sun_w_m2``, ``people`` share of the usual gains."""

    t: Floats
    dt_s: Floats
    t_out_c: Floats
    sigma_k: Floats
    wind_m_s: Floats
    sun_w_m2: Floats
    people: Floats
