"""The calendars that a file of clock cases names without describing them."""

from __future__ import annotations

from typing import Any


def _calendar(closed_on_holidays: bool, weekly: dict[str, list[list[str]]], **more: object) -> dict[str, Any]:
    return {"weekly": weekly, "statutory_holidays_closed": closed_on_holidays, **more}


NAMED_CALENDARS: dict[str, dict[str, Any]] = {
    "24_7": _calendar(False, {"mon-sun": [["00:00", "24:00"]]}),
    "MF_8_16": _calendar(True, {"mon-fri": [["08:00", "16:00"]]}),
    "MF_9_17": _calendar(True, {"mon-fri": [["09:00", "17:00"]]}),
    "DAILY_7_22": _calendar(False, {"mon-sun": [["07:00", "22:00"]]}),
    "DAILY_8_22_HOL": _calendar(True, {"mon-sun": [["08:00", "22:00"]]}),
    "MF_8_20_SAT_9_14": _calendar(True, {"mon-fri": [["08:00", "20:00"]], "sat": [["09:00", "14:00"]]}),
    "MF_LUNCH": _calendar(True, {"mon-fri": [["08:00", "12:00"], ["13:00", "17:00"]]}),
    "NIGHT_22_06": _calendar(False, {"mon-sun": [["22:00", "30:00"]]}),
    "MF_24H": _calendar(True, {"mon-fri": [["00:00", "24:00"]]}),
    "MF_8_16_COMPANY": _calendar(
        True,
        {"mon-fri": [["08:00", "16:00"]]},
        days_off=["2026-01-02", "2026-06-05", "2026-08-14"],
        special_days={"2026-12-31": [["08:00", "12:00"]], "2026-11-28": [["08:00", "16:00"]]},
    ),
    "NIGHT_EDGE": _calendar(False, {"mon-sun": [["02:30", "06:00"]]}),
    "EDGE_CLOSE": _calendar(False, {"mon-sun": [["01:00", "02:30"]]}),
    "NY_EDGE_OPEN": _calendar(False, {"mon-sun": [["01:30", "05:00"]]}, timezone="America/New_York"),
    "NY_EDGE_GAP": _calendar(False, {"mon-sun": [["02:30", "05:00"]]}, timezone="America/New_York"),
    "OVERLAP": _calendar(False, {"mon-sun": [["08:00", "12:00"], ["10:00", "16:00"]]}),
    "MF_NIGHT": _calendar(True, {"mon-fri": [["22:00", "30:00"]]}),
}
