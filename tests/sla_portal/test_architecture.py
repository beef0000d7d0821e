"""The shape of the house is a test: direction of imports, and the pure files without Django."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from sla_portal.environment import BASE_DIR

PURE = (
    "accounts.texts",
    "contracts.worktime",
    "contracts.penalties",
    "contracts.notice",
    "contracts.penalty_breach",
    "contracts.penalty_credit",
    "contracts.penalty_ledger",
    "contracts.penalty_month",
    "incidents.clock",
    "monitoring.probe",
    "monitoring.verdict",
    "monitoring.judging",
    "monitoring.availability",
    "reports.hash_tree",
)
THERE = [name for name in PURE if (BASE_DIR / f"{name.replace('.', '/')}.py").is_file()]
LINTER = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def test_rooms_import_one_way_and_the_pure_files_no_django() -> None:
    done = subprocess.run(
        [f"{sys.prefix}/bin/lint-imports", "--no-cache"], cwd=BASE_DIR, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_every_pure_file_is_under_the_contract() -> None:
    assert set(THERE) <= set(LINTER["contracts"][1]["source_modules"])
    assert "django" in LINTER["contracts"][1]["forbidden_modules"]


@pytest.mark.parametrize("name", THERE)
def test_a_pure_file_loads_where_django_cannot(name: str) -> None:
    code = f"import sys; sys.modules['django'] = sys.modules['celery'] = None; import {name}"
    done = subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_order_of_the_layers_is_the_order_of_the_house() -> None:
    assert LINTER["contracts"][0]["layers"] == LINTER["root_packages"]
    assert LINTER["root_packages"] == ["sla_portal", "reports", "monitoring", "incidents", "contracts", "accounts"]


def test_files_stay_under_500_lines() -> None:
    names = subprocess.run(["git", "ls-files", "*.py"], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    files = [BASE_DIR / name for name in names.stdout.split() if "/migrations/" not in name]
    there = [file for file in files if file.is_file()]
    assert [file.name for file in there if len(file.read_text(encoding="utf-8").splitlines()) > 500] == []
