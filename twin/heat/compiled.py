"""How the functions of the engine are compiled.

``inner`` is for functions that only other compiled functions call: without the wrappers for Python and C they
compile a good deal faster. ``outer`` is for those that Python calls.
"""

from functools import partial

from numba import njit

outer = partial(njit, cache=True, error_model="numpy", no_cfunc_wrapper=True)
inner = partial(njit, cache=True, error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=True)
