"""`manage.py verify_cases FILE…`: are these deadlines, clocks and amounts what our rules give? Needs no database."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from reports.verify.files import outcomes
from reports.verify.outcome import Outcome, UnknownWordError


class Command(BaseCommand):
    help = "Check files of cases (deadlines, clocks, penalties, availability) against the rules that the pages use."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", metavar="FILE", nargs="+", type=Path)

    def handle(self, *, files: list[Path], **options: object) -> None:
        """Exit status 1: a case differs. 2: a file, or a word in it, that isn't known."""
        try:
            all_outcomes = [outcome for path in files for outcome in outcomes(path)]
        except UnknownWordError as unknown:
            raise CommandError(str(unknown), returncode=2) from unknown
        failed = [outcome for outcome in all_outcomes if not outcome.passed]
        for outcome in failed:
            self.stdout.write(line(outcome))
        self.stdout.write(f"{len(all_outcomes) - len(failed)} passed, {len(failed)} failed")
        if failed:
            raise SystemExit(1)


def line(outcome: Outcome) -> str:
    """`D001: expected deadline …; got deadline …`, the differing fields only."""
    differing = [name for name, value in outcome.expected.items() if outcome.got.get(name) != value]
    expected = ", ".join(f"{name} {_text(outcome.expected[name], outcome.got.get(name))}" for name in differing)
    got = ", ".join(f"{name} {_text(outcome.got.get(name), outcome.expected[name])}" for name in differing)
    return f"{outcome.case_id}: expected {expected}; got {got}"


def _text(value: object, other: object) -> str:
    """Of two objects only what differs."""
    if isinstance(value, dict) and isinstance(other, dict):
        return " ".join(f"{name}={_text(part, None)}" for name, part in value.items() if other.get(name) != part)
    if isinstance(value, list):
        return "[" + ", ".join(_text(part, None) for part in value) + "]"
    if isinstance(value, dict):
        return " ".join(f"{name}={part}" for name, part in value.items())
    return "none" if value is None else str(value)
