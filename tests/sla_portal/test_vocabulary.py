"""The closed lists: the arithmetic's values are the source, the columns' choices add the words and nothing else."""

from __future__ import annotations

from enum import StrEnum
from inspect import getmembers
from itertools import chain

import pytest

from contracts import models as contracts
from contracts import vocabulary
from incidents import choices as incidents
from incidents.clock import facts
from incidents.text.clock_sentences import WAITS
from messaging.models import BY_PHONE, Channel
from messaging.outbox import LANES
from monitoring import models as monitoring
from monitoring.probe import specification
from sla_portal.local import mailbox

LISTS = [
    (source, choices)
    for pure, worded in ((vocabulary, contracts), (facts, incidents), (specification, monitoring))
    for name, source in getmembers(pure)
    if isinstance(source, type) and issubclass(source, StrEnum) and source.__module__ == pure.__name__
    for choices in [getattr(worded, {"MaintenanceMode": "Maintenance"}.get(name, name))]
]


@pytest.mark.parametrize(("source", "choices"), LISTS, ids=lambda part: part.__name__)
def test_every_value_of_the_arithmetic_has_its_words_in_the_same_order(source: type[StrEnum], choices: type) -> None:
    assert [(one.name, one.value) for one in choices] == [(one.name, one.value) for one in source]  # type: ignore[attr-defined]
    assert all(str(label) for label in choices.labels)  # type: ignore[attr-defined]


def test_every_reason_of_a_pause_has_its_sentence() -> None:
    assert set(WAITS) == set(incidents.PauseReason)


def test_every_channel_has_its_lane_and_the_demo_s_phone_takes_the_calls() -> None:
    assert sorted(chain.from_iterable(LANES.values())) == sorted(Channel)
    assert set(mailbox.CALLS) == BY_PHONE
