"""Every term of a version in words, a line a term, and the lines in which two versions differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import Any

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contracts.agreements import NameSpec, PenaltySpec, RhythmSpec, StepSpec, TargetSpec
from contracts.calendar_text import never_closes, week_words
from contracts.escalation_text import TOLD, mark_words
from contracts.models import (
    Calendar,
    ContractVersion,
    Cumulation,
    DelayTime,
    ExclusionReason,
    Liability,
    Maintenance,
    PenaltyBase,
    Reopen,
    RepairStart,
    Severity,
    Shop,
    TargetKind,
    UpdateRhythm,
)
from contracts.penalty.rules import HUNDRED
from contracts.penalty.text import rule
from contracts.severities import FAILURES, USUAL_SEVERITY, SeverityName
from contracts.terms import KINDS, calendar_terms, calendar_week, scheme_of
from contracts.time_text import other_words, time_words, working_days
from messaging.models import Channel
from wording.words import figure, money, share, span

TITLES: dict[str, Promise] = {
    TargetKind.REACTION: gettext_lazy("Reaction"),
    TargetKind.RESTORE: gettext_lazy("Repair"),
    TargetKind.FINAL_FIX: gettext_lazy("Final fix"),
}


def hours_words(calendar: Calendar | None) -> str:
    """The hours in which a rhythm counts; none are all hours."""
    return week_words(calendar_terms(calendar)) if calendar else _("round the clock")


def exclusion_words(reasons: Iterable[str]) -> str:
    """The reasons as a list, in the order of the review's; "none" where there is none."""
    chosen = set(reasons)
    return ", ".join(str(reason.label) for reason in ExclusionReason if reason in chosen) or _("none")


def _choice(kind: type[TextChoices], value: Any, _currency: str) -> str:
    return str(kind(value).label)


def _share(value: Decimal | None, _currency: str) -> str:
    return _("none") if value is None else share(value)


def parts_words(parts: Mapping[str, str], currency: str) -> str:
    """`drugi.example 1 600,00 zł, mak.example 2 400,00 zł`, in the order of the names."""
    shops = Shop.objects.filter(pk__in=parts).order_by("name") if parts else ()
    return ", ".join(f"{shop.name} {money(Decimal(parts[str(shop.pk)]), currency)}" for shop in shops)


def _of_fee(value: Decimal | None, _currency: str) -> str:
    return _("none") if value is None else fee_words(value)


def fee_words(percent: Decimal) -> str:
    """`20 % of the monthly fee`, `3 × the monthly fee`."""
    if percent > HUNDRED:
        return _("%(times)s × the monthly fee") % {"times": figure(percent / HUNDRED)}
    return _("%(percent)s of the monthly fee") % {"percent": share(percent)}


def _of_contract(value: Decimal | None, _currency: str) -> str:
    return _("none") if value is None else _("%(percent)s of the contract's value") % {"percent": share(value)}


def _money(value: Decimal | None, currency: str) -> str:
    return _("none") if value is None else money(value, currency)


def _minutes(value: int | None, _currency: str) -> str:
    return _("none") if value is None else span(value * 60)


def _hours(value: int, _currency: str) -> str:
    return span(value * 3600)


def _days(value: int, _currency: str) -> str:
    return working_days(value)


def _flag(value: object, _currency: str) -> str:
    return _("yes") if value else _("no")


LEVELS = ("incident", "month", "quarter", *KINDS, "contract")
"""What a limit may be of, as its columns begin."""
# column → how its value is said; what a column of a version has no line for here, nobody would be shown
COLUMN_WORDS: dict[str, Callable[[Any, str], str]] = {
    "monthly_fee": _money,
    "currency": lambda value, _currency: str(value),
    "repair_starts": partial(_choice, RepairStart),
    "reopen": partial(_choice, Reopen),
    "liability": partial(_choice, Liability),
    "exclusion_reasons": lambda value, _currency: exclusion_words(value),
    "penalty_base": partial(_choice, PenaltyBase),
    "part_months": _flag,
    "fee_parts": lambda value, currency: parts_words(value, currency) or _("none"),
    "delay_time": partial(_choice, DelayTime),
    "cumulation": partial(_choice, Cumulation),
    **{f"{level}_cap_percent": _of_fee for level in LEVELS},
    **{f"{level}_cap_amount": _money for level in LEVELS},
    "contract_cap_share": _of_contract,
    "contract_value": _money,
    "second_person_above": _money,
    "availability_target": _share,
    "minimum_outage_minutes": _minutes,
    "maintenance": partial(_choice, Maintenance),
    "maintenance_notice_hours": _hours,
    "maintenance_limit_minutes": _minutes,
    "unknown_limit_minutes": _minutes,
    "monitoring_starts_clock": _flag,
    "third_party_pause": _flag,
    **{f"silence_days_{severity.lower()}": _days for severity in Severity.values},
    "days_off_notice": _days,
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a severity is dealt with after the report: the promised messages, and the silence that accepts a repair."""

    severity: str
    messages: str
    silence: str


def meanings(version: ContractVersion, names: Iterable[SeverityName]) -> list[tuple[str, str, list[str]]]:
    """(severity, its own name, the sentences of a report that mean it), for those that have one."""
    own = {row.severity: row.name for row in names}
    agreed = {row.symptom: row.severity for row in version.meanings.all()}
    by_severity: dict[str, list[str]] = {severity: [] for severity in Severity.values}
    for symptom in FAILURES:
        by_severity[agreed.get(symptom, USUAL_SEVERITY[symptom])].append(str(symptom.label))
    return [(severity, own.get(severity, ""), symptoms) for severity, symptoms in by_severity.items() if symptoms]


def manners(version: ContractVersion, rhythms: Iterable[UpdateRhythm]) -> list[Manner]:
    by_severity = {rhythm.severity: rhythm for rhythm in rhythms}
    return [
        Manner(severity, _messages(by_severity.get(severity)), _silence(version.silence_days(severity)))
        for severity in Severity.values
    ]


def _messages(rhythm: UpdateRhythm | None) -> str:
    if rhythm is None:
        return _("No messages are promised.")
    words = {"span": span(rhythm.minutes * 60), "hours": hours_words(rhythm.calendar)}
    return _("A message every %(span)s, %(hours)s.") % words


def _silence(days: int) -> str:
    return ngettext(
        "%(days)s working day of silence accepts a repair.", "%(days)s working days of silence accept a repair.", days
    ) % {"days": days}


def excluded(version: ContractVersion) -> str:
    """What may be left out of a delay, as a sentence."""
    allowed = version.allowed_exclusions()
    if not allowed:
        return _("Nothing is left out of a delay.")
    if version.liability == Liability.ZWLOKA:
        return _("What we don't answer for is left out of a delay: %(reasons)s.") % {
            "reasons": exclusion_words(allowed)
        }
    return _("Only this may be left out of a delay: %(reasons)s.") % {"reasons": exclusion_words(allowed)}


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared: columns by name (those that can be read so far), targets, rhythms and rungs."""

    columns: Mapping[str, Any]
    targets: Iterable[TargetSpec]
    rhythms: Iterable[RhythmSpec]
    steps: Iterable[StepSpec]
    names: Iterable[NameSpec] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)

    @property
    def currency(self) -> str:
        return str(self.columns.get("currency", "PLN"))


@dataclass(frozen=True, slots=True)
class Change:
    """One difference from the version before: of which term, what it was, what it becomes."""

    label: str
    old: str
    new: str


def differences(old: Compared, new: Compared, labels: Mapping[str, str], unread: Callable[[str], bool]) -> list[Change]:
    """Every term that differs. `labels` by column; a key that is `unread` can't be read yet and isn't compared.

    Keys: a column, `P1_name`, `means_closed`, `P1_restore`, `other`, `P1_update`, `ladder`.
    """
    return [
        *_changed(_columns(old, labels), _columns(new, labels), unread, strict=True),
        *_changed(_names(old), _names(new), unread),
        *_changed(_meanings(old), _meanings(new), unread),
        *_changed(_targets(old), _targets(new), unread),
        *([] if unread("other") else _changed(_others(old), _others(new), unread)),
        *_changed(_rhythms(old), _rhythms(new), unread),
        *([] if unread("ladder") else _changed(_rungs(old), _rungs(new), unread)),
    ]


Lines = dict[str, tuple[str, str]]


def _changed(old: Lines, new: Lines, unread: Callable[[str], bool], *, strict: bool = False) -> list[Change]:
    """Keys whose words differ; one that a side lacks is none there, or with `strict` not compared."""
    changes = []
    for key in [*old, *(key for key in new if key not in old)]:
        if unread(key) or (strict and not (key in old and key in new)):
            continue
        label = (old.get(key) or new[key])[0]
        was, becomes = (lines[key][1] if key in lines else _("none") for lines in (old, new))
        changes += [Change(label, was, becomes)] if was != becomes else []
    return changes


def _columns(terms: Compared, labels: Mapping[str, str]) -> Lines:
    return {
        name: (labels[name], words(terms.columns[name], terms.currency))
        for name, words in COLUMN_WORDS.items()
        if name in terms.columns
    }


def _names(terms: Compared) -> Lines:
    return {
        f"{row.severity}_name": (
            _("%(severity)s, own name") % {"severity": row.severity},
            f"{row.name}: {row.description}" if row.description else row.name,
        )
        for row in terms.names
    }


def _meanings(terms: Compared) -> Lines:
    """Every sentence: one that a side leaves out has its usual severity there."""
    return {
        f"means_{symptom}": (str(symptom.label), terms.meanings.get(symptom, USUAL_SEVERITY[symptom]))
        for symptom in FAILURES
    }


def _targets(terms: Compared) -> Lines:
    return {
        f"{target.severity}_{target.kind}": (
            f"{target.severity} {TITLES[target.kind]}",
            _target(target, terms.currency),
        )
        for target in _ordered(terms.targets)
    }


def _ordered(targets: Iterable[TargetSpec]) -> list[TargetSpec]:
    order = list(TITLES)
    return sorted(targets, key=lambda target: (target.severity, order.index(TargetKind(target.kind))))


def _target(target: TargetSpec, currency: str) -> str:
    words = time_words(target, _calendar)
    return ", ".join([words, *([_rule(target.penalty, currency)] if target.penalty else [])])


def _others(terms: Compared) -> Lines:
    return {
        f"other_{target.severity}_{target.kind}": (
            _("%(target)s, outside hours") % {"target": f"{target.severity} {TITLES[target.kind]}"},
            "; ".join(other_words(time, _calendar) for time in target.otherwise),
        )
        for target in _ordered(terms.targets)
        if target.otherwise
    }


def _calendar(calendar: Calendar | None) -> str:
    """Its hours; the name beside them where two of the same week may differ by their holidays and days off."""
    if calendar is None or never_closes(calendar_week(calendar)):
        return hours_words(calendar)
    return _("%(hours)s (calendar “%(name)s”)") % {"hours": hours_words(calendar), "name": calendar.name}


def _rule(penalty: PenaltySpec, currency: str) -> str:
    return rule(scheme_of(penalty), currency)


def _rhythms(terms: Compared) -> Lines:
    return {
        f"{rhythm.severity}_update": (
            _("%(severity)s, a message every") % {"severity": rhythm.severity},
            f"{span(rhythm.minutes * 60)}, {_calendar(rhythm.calendar)}",
        )
        for rhythm in sorted(terms.rhythms, key=lambda rhythm: rhythm.severity)
    }


def _rungs(terms: Compared) -> Lines:
    order = list(TITLES)
    ordered = sorted(terms.steps, key=lambda step: (order.index(TargetKind(step.target)), step.mark.order))
    return {
        f"rung_{target}_{mark.share}_{mark.offset}": (
            f"{TITLES[target]} {mark_words(mark)}",
            ", ".join(sorted(map(_step, same))),
        )
        for (target, mark), same in groupby(ordered, lambda step: (step.target, step.mark))
    }


def _step(step: StepSpec) -> str:
    return f"{step.person.name if step.person else TOLD[step.whom]} ({Channel(step.channel).label})"
