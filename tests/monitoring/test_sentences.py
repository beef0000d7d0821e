"""Every reason is said in both languages, with its own words."""

import pytest

from monitoring.probe.specification import REASONS, Result, Timings
from monitoring.sentences import SENTENCES, sentence


def said(language: str, **known: object) -> str:
    given: dict[str, object] = {"id": "1", "state": "down", "reason": "ok"}
    return sentence(Result(**(given | known)), language)  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_a_sentence_in_both_languages(reason: str) -> None:
    polish, english = said("pl", reason=reason, detail="never heard of"), said("en", reason=reason)
    assert polish.endswith(".")
    assert english.endswith(".")
    assert polish != english


@pytest.mark.parametrize(("reason", "detail"), sorted(SENTENCES))
def test_every_sentence_is_translated_and_filled_in(reason: str, detail: str) -> None:
    known = {"reason": reason, "subject": "TU", "status": 302, "timings": Timings(total=3_040)}
    known |= {"phase": detail} if reason == "timeout" else {"detail": detail}
    polish, english = said("pl", **known), said("en", **known)
    assert polish != english
    assert "%" not in polish + english


def test_numbers_are_written_in_the_readers_way() -> None:
    known = {"reason": "timeout", "phase": "headers", "timings": Timings(total=3_040)}
    assert said("en", **known) == "No answer within 3.0 s."
    assert said("pl", **known).replace("\u00a0", " ") == "Brak odpowiedzi przez 3,0 s."


def test_maintenance_and_a_cut_page_are_said_too() -> None:
    known = {"reason": "status", "status": 503, "state": "maintenance"}
    assert said("en", **known) == "Planned work: The server answered with status 503."
    cut = said("en", state="up", cut=True, bytes=524_288)
    assert cut == "Works: answered in 0.0 s. We read only the first 512 KiB."
    assert said("en", state="paused") == "Not watched."
