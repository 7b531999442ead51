"""How the functions of the engine are compiled.

``inner`` is for functions that only other compiled functions call: without the wrappers for Python and C they
compile a good deal faster. ``outer`` is for those that Python calls.
``inline`` is for small functions in inner loops: their text is put where they are called, rows of arrays are
passed on without counting who holds them, and loops over polynomials use the wide registers.
"""

from functools import partial

from numba import njit

CONTRACT = {"contract"}
"""Products and sums may be fused (one rounding instead of two); nothing is re-ordered."""
outer = partial(njit, cache=True, error_model="numpy", no_cfunc_wrapper=True)
inner = partial(njit, cache=True, error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=True)
inline = partial(njit, cache=True, error_model="numpy", inline="always", fastmath=CONTRACT)
