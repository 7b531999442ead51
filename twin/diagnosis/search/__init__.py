"""Leak search: from a zone of pipes to a place, by what a crew measures with portable instruments.

Meters that stand fixed place a small leak among kilometres of pipe; their noise forbids better. A crew with a
clamp-on flow meter, an ear at the chamber or a hand on a section valve halves that with every check. Pure:
``kit`` says what instruments can do, ``trench`` where one can get at the pipes, ``answers`` what each would
show for a leak in every pipe, ``weigh`` what a result says, ``advise`` which check to do next.
"""

from twin.diagnosis.search.advise import Advice, Advised, advise, measure_zone, near_share
from twin.diagnosis.search.answers import Answers, answer_checks
from twin.diagnosis.search.kit import KINDS, KIT, Check, Kit, Result, check_result
from twin.diagnosis.search.trench import Trench, compile_trench
from twin.diagnosis.search.weigh import spread_chance, weigh_results

__all__ = [
    "KINDS",
    "KIT",
    "Advice",
    "Advised",
    "Answers",
    "Check",
    "Kit",
    "Result",
    "Trench",
    "advise",
    "answer_checks",
    "check_result",
    "compile_trench",
    "measure_zone",
    "near_share",
    "spread_chance",
    "weigh_results",
]
