"""What terms that are being typed would do: when a report would fall due, what they lack, what they change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from contracts import prices, promises
from contracts.agreements import TargetSpec, VersionSpec, dated_back, severities_without
from contracts.forms.rows import key
from contracts.forms.terms import TermsForm
from contracts.models import Contract, ContractVersion, RepairStart, TargetKind
from contracts.notice import Notice
from contracts.terms_text import Change, Compared, differences


@dataclass(frozen=True, slots=True)
class Preview:
    moment: datetime
    rows: list[promises.Row]
    unreadable: list[str]
    no_reaction: list[str]
    no_repair: list[str]
    nobody: bool
    prices: list[prices.Price]
    limits: list[str]
    changes: list[Change]
    notice: Notice | None
    start: str


def preview(
    form: TermsForm,
    moment: datetime,
    before: VersionSpec | None = None,
    notice: Notice | None = None,
    start: str = "",
    contract: Contract | None = None,
) -> Preview:
    """Of a bound form, whether it is valid or not: what can't be read yet is left out and named.

    `contract`: whose version it is, for the months that it lasts.
    """
    form.is_valid()
    targets = form.targets
    typed = _typed(form, contract)
    starts = form.cleaned_data.get("repair_starts", RepairStart.REPORT)
    return Preview(
        moment=moment,
        rows=[row for row in promises.rows(targets, moment, starts) if row.reaction or row.restore],
        unreadable=[str(field.label) for field in form.unreadable],
        no_reaction=_without(TargetKind.REACTION, form, targets),
        no_repair=_without(TargetKind.RESTORE, form, targets),
        nobody=bool(targets) and not form.steps,
        prices=prices.prices(typed, targets) if typed else [],
        limits=[*prices.base(typed), *prices.caps(typed)] if typed and targets else [],
        changes=_changes(form, before) if before else [],
        notice=notice,
        start=start,
    )


def _typed(form: TermsForm, contract: Contract | None) -> ContractVersion | None:
    """The version as far as it can be read; None without a fee, for then there is nothing to take a share of."""
    fee, starts_on = form.cleaned_data.get("monthly_fee"), form.cleaned_data.get("valid_from") or form.today
    if fee is None:
        return None
    return ContractVersion(contract=contract or Contract(starts_on=starts_on), monthly_fee=fee, **form.terms)


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
    return [severity for severity in missing if not _unread(form, key(severity, kind))]


def _unread(form: TermsForm, prefix: str) -> bool:
    return any(name.startswith("step" if prefix == "ladder" else prefix) for name in form.errors)


def _changes(form: TermsForm, before: VersionSpec) -> list[Change]:
    old = Compared(
        {**before.terms, "monthly_fee": before.monthly_fee},
        before.targets,
        before.rhythms,
        before.steps,
        before.names,
        before.meanings,
    )
    fee = form.cleaned_data.get("monthly_fee")
    columns = {**form.terms, **({} if fee is None else {"monthly_fee": fee})}
    new = Compared(columns, form.targets, form.rhythms, form.steps, form.severity_names, form.severities_meant)
    return differences(old, new, form.labels, lambda prefix: _unread(form, prefix))
