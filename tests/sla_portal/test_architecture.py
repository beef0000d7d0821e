"""The shape of the house is a test: direction of imports, and the pure files without Django."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract

from sla_portal.environment import BASE_DIR

TOOLS: dict[str, Any] = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
LINTER = TOOLS["importlinter"]
LAYERS, *PURITY = LINTER["contracts"]
HOUSE = TOOLS["sla_portal"]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(BASE_DIR).with_suffix("").parts)


def files_of(source: str) -> Iterator[str]:
    """Modules that a name of the linter's list stands for: a file, or every file of a folder."""
    path = BASE_DIR.joinpath(*source.split("."))
    if path.is_dir():
        yield from (module_of(file) for file in sorted(path.rglob("*.py")) if file.name != "__init__.py")
    else:
        assert path.with_suffix(".py").is_file(), source
        yield source


PURE = {contract["name"]: [m for source in contract["source_modules"] for m in files_of(source)] for contract in PURITY}
COVERED = sorted({module for modules in PURE.values() for module in modules})


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*LINTER["root_packages"], include_external_packages=True, cache_dir=None)


def contract_of(name: str) -> ForbiddenContract:
    """The linter's own contract of that name, as `make check` reads it."""
    configuration = read_configuration(str(BASE_DIR / "pyproject.toml"))
    options = next(options for options in configuration["contracts_options"] if options["name"] == name)
    return ForbiddenContract(options["name"], configuration["session_options"], options)


def test_rooms_import_one_way_and_the_pure_files_no_django() -> None:
    done = subprocess.run(
        [f"{sys.prefix}/bin/lint-imports", "--no-cache"], cwd=BASE_DIR, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("module", COVERED)
def test_django_in_a_pure_file_breaks_a_contract(module: str, graph: grimp.ImportGraph) -> None:
    """As if `from django.conf import settings` stood in the file: the linter's own contract must see it."""
    contract = contract_of(next(name for name, modules in PURE.items() if module in modules))
    assert contract.check(graph, verbose=False).kept
    graph.add_import(importer=module, imported="django")
    try:
        check = contract.check(graph, verbose=False)
    finally:
        graph.remove_import(importer=module, imported="django")
    assert not check.kept
    chains = [chain for broken in check.metadata["invalid_chains"] for chain in broken["chains"]]
    assert [(step["importer"], step["imported"]) for step in min(chains, key=len)] == [(module, "django")]


@pytest.mark.parametrize("contract", PURITY, ids=lambda contract: contract["name"])
def test_the_pure_files_load_where_nothing_forbidden_can(contract: dict[str, Any]) -> None:
    modules = PURE[contract["name"]]
    gone = " = ".join(f"sys.modules[{name!r}]" for name in contract["forbidden_modules"])
    code = f"import sys; {gone} = None; import {', '.join(modules)}"
    done = subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_file_of_a_pure_folder_is_under_a_contract() -> None:
    modules = {module for folder in HOUSE["pure_folders"] for module in files_of(folder)}
    assert modules - set(COVERED) == set(HOUSE["not_pure"])
    assert {module.rpartition(".")[0] for module in COVERED if module.count(".") > 1} <= set(HOUSE["pure_folders"])


def test_every_file_that_calls_itself_pure_is_under_a_contract() -> None:
    for room in LINTER["root_packages"]:
        for path in (BASE_DIR / room).rglob("*.py"):
            described = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            if "Pure" in described or "A pure file" in described:
                assert module_of(path) in COVERED


def test_no_pure_contract_forgets_django() -> None:
    assert [contract["name"] for contract in PURITY if "django" not in contract["forbidden_modules"]] == []


def test_the_order_of_the_layers_is_the_order_of_the_house() -> None:
    rooms = ["sla_portal", "reports", "monitoring", "incidents", "contracts", "accounts", "messaging", "wording"]
    assert LAYERS["layers"] == LINTER["root_packages"] == rooms


def test_files_stay_under_500_lines() -> None:
    names = subprocess.run(["git", "ls-files", "*.py"], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    files = [BASE_DIR / name for name in names.stdout.split() if "/migrations/" not in name]
    there = [file for file in files if file.is_file()]
    assert [file.name for file in there if len(file.read_text(encoding="utf-8").splitlines()) > 500] == []
