"""`make mutants` breaks sixteen rules that the code really has."""

from __future__ import annotations

import ast

import pytest

from tests.mutants import MUTANTS, ROOT, Mutant, broken


def test_sixteen_rules_are_broken_each_once() -> None:
    assert len({mutant.rule for mutant in MUTANTS}) == len(MUTANTS) == 16


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.rule)
def test_each_broken_rule_stands_in_the_code_and_breaks_into_code(mutant: Mutant) -> None:
    text = (ROOT / mutant.path).read_text(encoding="utf-8")
    assert text.count(mutant.kept) == 1
    assert ast.dump(ast.parse(broken(text, mutant))) != ast.dump(ast.parse(text))
    assert all((ROOT / path).is_file() for path in mutant.tests)


def test_a_rule_that_is_no_longer_there_is_said() -> None:
    gone = Mutant("old", "contracts/penalty/rules.py", "nothing of the kind", "", ())
    with pytest.raises(ValueError, match="no longer has"):
        broken("text", gone)
