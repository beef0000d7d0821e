"""What terms that are being typed would do: when a report would fall due, what they lack, what they change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from accounts.words import money, span
from contracts import promises
from contracts.agreements import PenaltySpec, TargetSpec, dated_back, severities_without
from contracts.models import ContractVersion, RepairStart, TargetKind
from contracts.penalties import Grace, GraceMode, Kind, Scheme, Unit
from contracts.penalty_words import rule
from contracts.terms_form import TermsForm, key


@dataclass(frozen=True, slots=True)
class Change:
    """One difference from the version before."""

    severity: str
    kind: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Preview:
    asked: datetime
    rows: list[promises.Row]
    unreadable: list[str]
    no_reaction: list[str]
    no_repair: list[str]
    nobody: bool
    changes: list[Change]
    start: str


def preview(
    form: TermsForm, asked: datetime, before: Sequence[TargetSpec] = (), fee: str = "", start: str = ""
) -> Preview:
    """Of a bound form, whether it is valid or not: what can't be read yet is left out and named."""
    form.is_valid()
    targets = form.targets
    starts = form.cleaned_data.get("repair_starts", RepairStart.REPORT)
    return Preview(
        asked=asked,
        rows=[row for row in promises.rows(targets, asked, starts) if row.reaction or row.restore],
        unreadable=[str(field.label) for field in form.unreadable],
        no_reaction=_without(TargetKind.REACTION, form, targets),
        no_repair=_without(TargetKind.RESTORE, form, targets),
        nobody=bool(targets) and not form.steps,
        changes=_changes(form, targets, before, fee) if before or fee else [],
        start=start,
    )


def start_words(form: TermsForm, before: ContractVersion | None, today: date, at: datetime) -> str:
    """What the typed first day means where it lies in the past; "" where it doesn't, or can't be read yet."""
    form.is_valid()
    begins = form.cleaned_data.get("valid_from")
    if begins is None or begins >= today:
        return ""
    if before:
        return dated_back(before.contract, at)
    return _("It begins in the past, and rules what is received from its entry on.")


def _without(kind: TargetKind, form: TermsForm, targets: Sequence[TargetSpec]) -> list[str]:
    """Severities that promise no such time; where one is typed but can't be read yet, nothing is said."""
    missing = severities_without(targets, kind) if targets else []
    return [severity for severity in missing if not _unread(form, severity, kind)]


def _unread(form: TermsForm, severity: str, kind: str) -> bool:
    return any(name.startswith(key(severity, kind)) for name in form.errors)


def _changes(form: TermsForm, targets: Sequence[TargetSpec], before: Sequence[TargetSpec], fee: str) -> list[Change]:
    currency = form.cleaned_data.get("currency", "PLN")
    typed_fee = form.cleaned_data.get("monthly_fee")
    new_fee = "" if typed_fee is None else money(typed_fee, currency)
    changed = [Change("", "fee", fee, new_fee)] if new_fee and new_fee != fee else []
    old, new = ({(one.severity, one.kind): one for one in specs} for specs in (before, targets))
    for severity, kind in sorted({*old, *new}, key=lambda one: (one[0], TargetKind.values.index(one[1]))):
        was, becomes = _said(old.get((severity, kind)), currency), _said(new.get((severity, kind)), currency)
        if was != becomes and not _unread(form, severity, kind):
            changed.append(Change(severity, kind, was, becomes))
    return changed


def _said(target: TargetSpec | None, currency: str) -> str:
    if target is None:
        return _("none")
    parts = [span(target.minutes * 60), target.calendar.name]
    return ", ".join([*parts, *([_rule(target.penalty, currency)] if target.penalty else [])])


def _rule(penalty: PenaltySpec, currency: str) -> str:
    grace = Grace(penalty.grace_minutes * 60, GraceMode(penalty.grace_mode)) if penalty.grace_minutes else None
    return rule(Scheme(Kind(penalty.rate_type), Unit.named(penalty.unit), penalty.rate, grace=grace), currency)


def version_fee(version: ContractVersion) -> str:
    return money(version.monthly_fee, version.currency)
