"""Break sixteen rules of money and availability, one at a time, in a copy: the tests must catch each.

python -m tests.mutants        a line a rule; exit status 1 if a broken rule passes the tests
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("wording", "messaging", "accounts", "contracts", "incidents", "monitoring", "reports", "sla_portal", "tests")
PENALTIES = ("tests/contracts/test_penalties.py", "tests/contracts/test_penalties_month.py")
BREACH = ("tests/contracts/test_penalties_breach.py",)
AVAILABILITY = ("tests/monitoring/test_availability.py",)
LEDGER = ("tests/contracts/test_penalties_ledger.py",)
AT_STAKE = ("tests/reports/test_at_stake.py",)


@dataclass(frozen=True)
class Mutant:
    """A rule, where it stands, the text that keeps it, the text that breaks it, and the tests that should see it."""

    rule: str
    path: str
    kept: str
    broken: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "a started unit counts whole",
        "contracts/penalty/rules.py", "Fraction(-(-seconds // self.width))", "Fraction(seconds // self.width)",
        PENALTIES,
    ),
    Mutant(
        "money is rounded half up",
        "contracts/penalty/rules.py", "value.numerator * 200 + value.denominator)", "value.numerator * 200)", PENALTIES,
    ),
    Mutant(
        "a delay equal to the threshold is forgiven",
        "contracts/penalty/rules.py", "delay > grace.seconds", "delay >= grace.seconds", PENALTIES,
    ),
    Mutant(
        "what was used of a cap is gone",
        "contracts/penalty/rules.py", "max(ZERO, limit - used)", "max(ZERO, limit)", PENALTIES,
    ),
    Mutant(
        "each step has its own rate",
        "contracts/penalty/rules.py", "part = upto - done", "part = upto", PENALTIES,
    ),
    Mutant(
        "exclusions are a union",
        "contracts/penalty/breach.py", "taken = union([*taken, clipped])", "taken = union(taken)", BREACH,
    ),
    Mutant(
        "a waived line leaves before the caps",
        "contracts/penalty/month.py", "if not owed.waived]", "]", PENALTIES,
    ),
    Mutant(
        "of one incident only the highest penalty counts",
        "contracts/penalty/ledger.py", "        return ZERO\n    if others", "        return row.amount\n    if others",
        LEDGER,
    ),
    Mutant(
        "a quarter has three months",
        "contracts/penalty/ledger.py", "(month.month - 1) // 3 * 3 + 1", "(month.month - 1) // 1 * 1 + 1", LEDGER,
    ),
    Mutant(
        "what was used of a kind's limit is gone",
        "contracts/penalty/ledger.py", "used = spent.kind[row.month, row.target]", "used = ZERO", LEDGER,
    ),
    Mutant(
        "the order of decisions changes no sum",
        "contracts/penalty/ledger.py", "sorted(rows, key=lambda row: (row.month, row.stop, row.key))", "list(rows)",
        LEDGER,
    ),
    Mutant(
        "a second person is asked by what was at stake",
        "reports/models.py", "needs_second(self.amount_before", "needs_second(self.amount_after", AT_STAKE,
    ),
    Mutant(
        "exactly the commitment is compliant",
        "contracts/penalty/credit.py", "percent >= Fraction(commitment)", "percent > Fraction(commitment)", PENALTIES,
    ),
    Mutant(
        "an outage's length is judged before it is cut at the month's end",
        "monitoring/availability/measure.py",
        "outage.end - outage.start > terms.minimum_outage",
        "min(outage.end, period.end) - max(outage.start, period.start) > terms.minimum_outage",
        AVAILABILITY,
    ),
    Mutant(
        "at each moment the heaviest outage counts",
        "monitoring/availability/measure.py", "(-ranks[weights[place]], place)", "(ranks[weights[place]], place)",
        AVAILABILITY,
    ),
    Mutant(
        "what is shown is floored",
        "contracts/penalty/rules.py",
        "part.numerator * 100 * 10**places // part.denominator",
        "-(-part.numerator * 100 * 10**places // part.denominator)",
        AVAILABILITY,
    ),
)  # fmt: skip


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        for room in ROOMS:
            shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        if failed := failures(copy, tuple(sorted({path for mutant in MUTANTS for path in mutant.tests}))):
            say(f"the tests fail before anything is broken: {', '.join(failed)}")
            return 1
        survivors = [mutant.rule for mutant in MUTANTS if not caught(copy, mutant)]
    say(f"{len(MUTANTS) - len(survivors)} of {len(MUTANTS)} broken rules caught")
    return 1 if survivors else 0


def caught(copy: Path, mutant: Mutant) -> bool:
    """Break the rule in the copy, run its tests, mend it."""
    path = copy / mutant.path
    whole = path.read_text(encoding="utf-8")
    path.write_text(broken(whole, mutant), encoding="utf-8")
    try:
        failed = failures(copy, mutant.tests)
    finally:
        path.write_text(whole, encoding="utf-8")
    say(f"{'caught  ' if failed else 'SURVIVED'}  {mutant.rule}" + (f": {failed[0]}" if failed else ""))
    return bool(failed)


def broken(text: str, mutant: Mutant) -> str:
    """The text without the rule. ValueError where the rule isn't found: a mutant that breaks nothing proves nothing."""
    if mutant.kept not in text:
        raise ValueError(f"{mutant.path} no longer has {mutant.kept!r}, which keeps the rule: {mutant.rule}")
    return text.replace(mutant.kept, mutant.broken, 1)


def failures(copy: Path, tests: tuple[str, ...]) -> list[str]:
    """Names of the failing tests. RuntimeError if they couldn't be run at all."""
    # Addresses of servers that aren't there: these tests are pure, and none is started for them.
    nowhere = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "MIGRATE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "-" * 50,
    }
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *tests],
        cwd=copy, env={**os.environ, **nowhere}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    failed = re.findall(r"^FAILED \S+::(\w+)", done.stdout, re.MULTILINE)
    if bool(done.returncode) != bool(failed):
        raise RuntimeError(f"the tests could not run: {done.stdout}{done.stderr}")
    return failed


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
