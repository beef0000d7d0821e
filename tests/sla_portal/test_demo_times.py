"""The demo whenever it is started: by night, at a weekend, after hours, on a holiday, after a clock change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import build
from tests.pages import stop_clock
from tests.sla_portal import test_demo
from tests.sla_portal.story import play

pytestmark = [pytest.mark.django_db, pytest.mark.full]
TIMES = ("2026-11-23 03:10", "2026-11-21 12:00", "2026-11-27 17:30", "2026-12-25 09:00", "2026-03-29 03:30")


@pytest.mark.parametrize("at", TIMES)
def test_the_same_states_are_there(at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, build.at(at))
    monkeypatch.setattr(test_demo, "NOW", build.at(at))
    play(monkeypatch, tmp_path)
    assert [state for state, found in test_demo.STATES.items() if not found()] == []
    test_demo.test_the_stored_clocks_are_those_of_the_journal()
