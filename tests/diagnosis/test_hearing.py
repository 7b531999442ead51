"""What a device said last, and how long that counts."""

import numpy as np

from tests.support.tiny import make_tiny_county
from twin.diagnosis import compile_book
from twin.diagnosis.hearing import Hearing


def test_a_device_is_quiet_when_it_pauses_for_longer_than_usual_and_not_when_it_is_slow() -> None:
    book = compile_book(make_tiny_county())
    hearing, n = Hearing(book), len(book.point_ids)
    fast, slow = (book.devices[k][2] for k in (0, 1))
    reported, t = np.full(n, -np.inf), 0.0
    for _ in range(240):
        t += 60.0
        reported[:] = t - 5.0
        reported[slow] = t - t % 600.0  # every ten minutes
        quiet = hearing.take(reported, t, 60.0)
        assert not quiet.any()
    for _ in range(4):  # both are silent from here on
        t += 60.0
        quiet = hearing.take(reported, t, 60.0)
        assert quiet[fast].all()
        assert not quiet[slow].any()
    reported[fast] = t
    assert not hearing.take(reported, t + 10.0, 10.0)[fast].any()
