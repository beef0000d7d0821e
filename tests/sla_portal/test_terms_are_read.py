"""Every column of a contract is read: with another value something else is promised, counted, told or refused.

A term that a form offers or a page prints and that nothing reads is a promise nobody keeps. So each column stands in
READ with what reads it, or in WORDS, which are only shown; a new column that stands in neither fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import models, transaction

from contracts import agreements
from contracts.models import (
    Contract,
    ContractVersion,
    EscalationStep,
    PenaltyRule,
    Shop,
    Target,
    UpdateRhythm,
)
from contracts.notice import notice
from contracts.penalty.rules import BaseLine
from contracts.terms import caps_of, scheme_of
from contracts.timed import TargetAlternative
from incidents import lifecycle, reporting
from incidents.models import Breach, Incident, JournalEntry, Notice
from incidents.projection import rows as projection
from incidents.sweeps import sweep_clocks
from messaging.models import Notification
from monitoring.availability.maintenance import terms_of
from reports.money import review
from reports.money.pricing import BreachPricer
from tests import build
from tests.owner import as_owner
from wording.refusals import Refused

pytestmark = pytest.mark.django_db
MONDAY, TUESDAY = build.MONDAY, build.MONDAY + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Case:
    """A contract in force with a penalty for reaction and repair, and a P1 whose both times were missed."""

    world: build.World
    incident: Incident
    other: Incident
    breaches: tuple[Breach, ...]

    @property
    def version(self) -> ContractVersion:
        return ContractVersion.objects.get(pk=self.world.version.pk)

    def target(self, severity: str) -> Target:
        """One without a penalty for P4, the repair with one for P1."""
        return Target.objects.get(
            version=self.version, severity=severity, kind="restore" if severity == "P1" else "reaction"
        )

    @property
    def rule(self) -> PenaltyRule:
        return PenaltyRule.objects.get(target__version=self.version, target__severity="P1", target__kind="restore")


@pytest.fixture
def case() -> Case:
    """In office hours, so that a delay over a night differs from real time; a second incident is open."""
    world = build.world(
        everywhere=build.office_hours(), ladder=[("reaction", 50, "manager", "email")], rhythms=[("P4", 60)],
        targets=[("P1", 30, 240, 0), ("P4", 480, 0, 0)],
    )  # fmt: skip
    repair = world.version.targets.get(severity="P1", kind="restore")
    for place, hours in ((1, build.office_hours()), (2, build.long_hours())):
        TargetAlternative.objects.create(target=repair, place=place, outside=hours, minutes=480, calendar=hours)
    reaction = world.version.targets.get(severity="P1", kind="reaction")
    PenaltyRule.objects.create(target=reaction, rate=Decimal(1))
    incident = build.incident(world.shop, by=world.reporter)
    sweep_clocks(at=MONDAY + timedelta(hours=1))
    lifecycle.acknowledge(incident=incident, by=world.agent, at=MONDAY + timedelta(hours=1, minutes=30))
    lifecycle.back_up(incident=incident, by=world.agent, at=MONDAY + timedelta(hours=1, minutes=30), where="S3")
    sweep_clocks(at=TUESDAY)
    lifecycle.resolve(incident=incident, by=world.agent, at=TUESDAY, text="Wtyczka cofnięta.")
    other = build.incident(world.shop, by=world.reporter, what="typo", at=TUESDAY)
    breaches = tuple(Breach.objects.filter(incident=incident).order_by("target"))
    assert [breach.target for breach in breaches] == ["reaction", "restore"]
    return Case(world, incident, other, breaches)


def refusal(act: Callable[..., Any], **facts: Any) -> str:
    try:
        act(**facts)
    except Refused as error:
        return str(error)
    return ""


# What reads the terms. Each takes the case and says what comes of it; what it writes is undone.


def clocks(case: Case) -> Any:
    """The pure terms of the clocks and the ladder."""
    terms = projection.version_terms(case.version)
    return terms.terms, terms.ladder


def silence(case: Case) -> Any:
    incident = Incident.objects.get(pk=case.incident.pk)
    days = []
    for severity in ("P1", "P2", "P3", "P4"):
        incident.severity = severity
        days.append(projection.silence_term(incident, MONDAY))
    return days


def money(case: Case) -> Any:
    """What each breach costs in the end, beside the incident's others and under the limits."""
    breaches = list(Breach.objects.filter(incident=case.incident).order_by("target"))
    pricer = BreachPricer(breaches, TUESDAY)
    return [pricer.priced(breach).amount for breach in breaches]


def limits(case: Case) -> Any:
    """What a limit is that neither breach of the case meets."""
    return caps_of(case.version)


def base(case: Case) -> Any:
    """What the penalty of the repair is of."""
    breach = Breach.objects.get(pk=case.breaches[1].pk)
    breakdown = BreachPricer([breach], TUESDAY).priced(breach).breakdown
    assert breakdown is not None
    return [line for line in breakdown.lines if isinstance(line, BaseLine)]


def base_of_a_part(case: Case) -> Any:
    """The same in a contract that began on the second of the month."""
    with as_owner():
        Contract.objects.update(starts_on=date(2026, 3, 2))
    return base(case)


def scheme(case: Case) -> Any:
    return scheme_of(case.rule)


def availability(case: Case) -> Any:
    return terms_of(case.version)


def in_force(case: Case) -> Any:
    return [ContractVersion.objects.in_force(case.world.shop, TUESDAY + timedelta(days=days)) for days in (0, 30)]


def second_person(case: Case) -> Any:
    breach = Breach.objects.get(pk=case.breaches[0].pk)
    return review.confirm(breach=breach, by=case.world.manager, at=TUESDAY).awaits_second


def exclusion(case: Case) -> Any:
    breach = Breach.objects.get(pk=case.breaches[1].pk)
    return refusal(
        review.exclude, breach=breach, by=case.world.manager, at=TUESDAY, reason="third_party", evidence="MAK-0001",
        start=breach.deadline, end=TUESDAY,
    )  # fmt: skip


def alarm(case: Case) -> Any:
    """What the journal opens with when a monitor reports."""
    incident = reporting.open_from_monitor(
        shop=Shop.objects.get(pk=case.world.shop.pk), failure="home", what="closed", severity="P1",
        first_failed_at=TUESDAY, at=TUESDAY, evidence={}, words="Nie działa.",
    )  # fmt: skip
    return JournalEntry.objects.filter(incident=incident).order_by("seq")[0].kind


def pause(case: Case) -> Any:
    incident = Incident.objects.get(pk=case.other.pk)
    return refusal(
        lifecycle.pause, incident=incident, by=case.world.agent, at=TUESDAY, reason="third_party", text="Operator."
    )


def next_message(case: Case) -> Any:
    """By when the client hears next, written to late in the day."""
    at = TUESDAY + timedelta(hours=5, minutes=30)
    incident = Incident.objects.get(pk=case.other.pk)
    return lifecycle.acknowledge(incident=incident, by=case.world.agent, at=at).next_update_at


def rung(case: Case) -> Any:
    """Whom the rung of the reaction tells, and by what."""
    with as_owner():
        Notice.objects.all().delete()
        Notification.objects.all().delete()
    sweep_clocks(at=TUESDAY + timedelta(hours=5))
    return sorted(Notification.objects.values_list("recipient", "channel"))


def day_off(case: Case) -> Any:
    """A day off four working days ahead."""
    return refusal(
        agreements.add_day, calendar=build.office_hours(), on=date(2026, 3, 6), windows=[], by=case.world.manager,
        at=MONDAY,
    )  # fmt: skip


def end(case: Case) -> Any:
    contract = Contract.objects.get(pk=case.version.contract_id)
    ahead = agreements.VersionSpec(date(2026, 6, 1), Decimal(1), [], terms={"availability_target": Decimal(99)})
    refused = refusal(agreements.add_version, contract=contract, version=ahead, by=case.world.manager, at=TUESDAY)
    return notice(contract.notice_months, contract.ends_on, MONDAY.date()), refused


def local_day(case: Case) -> Any:
    return Contract.objects.get(pk=case.version.contract_id).local_day(build.at("2026-03-02 00:30"))


V, T, P, E, R, C = ContractVersion, Target, PenaltyRule, EscalationStep, UpdateRhythm, Contract
A = TargetAlternative


def in_days(days: int, reading: str) -> dict[str, Any]:
    return {"minutes": 0, "days": days, "reading": reading}


# column → what reads it, and two values: of the column, or of several where one says nothing alone
READ: dict[tuple[type[models.Model], str], tuple[Callable[[Case], Any], Any, Any]] = {
    (V, "valid_from"): (in_force, date(2025, 1, 1), date(2026, 3, 20)),
    (V, "created_at"): (in_force, MONDAY, TUESDAY + timedelta(days=20)),
    (V, "monthly_fee"): (money, Decimal(10000), Decimal(5000)),
    (V, "repair_starts"): (clocks, "report", "first_contact"),
    (V, "reopen"): (clocks, "continue", "restart"),
    (V, "liability"): (exclusion, "zwloka", "opoznienie"),
    (V, "exclusion_reasons"): (
        exclusion,
        {"liability": "opoznienie", "exclusion_reasons": ["client_fault"]},
        {"liability": "opoznienie", "exclusion_reasons": ["third_party"]},
    ),
    (V, "delay_time"): (money, "calendar", "real"),
    (V, "cumulation"): (money, "cumulative", "highest"),
    (V, "incident_cap_percent"): (money, None, Decimal(1)),
    (V, "incident_cap_amount"): (money, None, Decimal(7)),
    (V, "month_cap_percent"): (money, None, Decimal(1)),
    (V, "penalty_base"): (base, "month", "month_before"),
    (V, "part_months"): (base_of_a_part, False, True),
    (V, "fee_parts"): (base, {"fee_parts": {}}, lambda case: {"fee_parts": {str(case.world.shop.pk): "10.00"}}),
    (V, "month_cap_amount"): (money, None, Decimal(7)),
    (V, "quarter_cap_percent"): (money, None, Decimal(1)),
    (V, "quarter_cap_amount"): (money, None, Decimal(7)),
    **{(V, f"{kind}_cap_percent"): (money, None, Decimal("0.1")) for kind in ("reaction", "restore")},
    **{(V, f"{kind}_cap_amount"): (money, None, Decimal(7)) for kind in ("reaction", "restore")},
    (V, "final_fix_cap_percent"): (limits, None, Decimal("0.1")),
    (V, "final_fix_cap_amount"): (limits, None, Decimal(7)),
    (V, "contract_cap_percent"): (money, None, Decimal(1)),
    (V, "contract_cap_amount"): (money, None, Decimal(7)),
    (V, "contract_cap_share"): (
        money,
        {"contract_value": Decimal(900)},
        {"contract_value": Decimal(900), "contract_cap_share": Decimal(1)},
    ),
    (V, "contract_value"): (
        money,
        {"contract_value": Decimal(900), "contract_cap_share": Decimal(1)},
        {"contract_value": Decimal(700), "contract_cap_share": Decimal(1)},
    ),
    (V, "second_person_above"): (second_person, None, Decimal(1)),
    (V, "availability_target"): (availability, None, Decimal("99.5")),
    (V, "minimum_outage_minutes"): (availability, 0, 5),
    (V, "maintenance"): (availability, "out_of_total", "in_total"),
    (V, "maintenance_notice_hours"): (availability, 0, 48),
    (V, "maintenance_limit_minutes"): (availability, None, 0),
    (V, "unknown_limit_minutes"): (availability, None, 0),
    (V, "monitoring_starts_clock"): (alarm, True, False),
    (V, "third_party_pause"): (pause, True, False),
    **{(V, f"silence_days_p{number}"): (silence, 3, 5) for number in (1, 2, 3, 4)},
    (V, "days_off_notice"): (day_off, 1, 20),
    (T, "severity"): (clocks, "P1", "P4"),
    (T, "kind"): (clocks, "restore", "final_fix"),
    (T, "minutes"): (clocks, 240, 300),
    (T, "calendar"): (clocks, lambda _: build.office_hours(), lambda _: build.round_the_clock()),
    (T, "days"): (clocks, in_days(2, "business_days_close"), in_days(3, "business_days_close")),
    (T, "reading"): (clocks, in_days(2, "business_days_close"), in_days(2, "calendar_days_kc")),
    (A, "target"): (clocks, lambda case: case.target("P1"), lambda case: case.target("P4")),
    (A, "place"): (clocks, 1, 3),
    (A, "outside"): (clocks, lambda _: build.office_hours(), lambda _: build.round_the_clock()),
    (A, "minutes"): (clocks, 480, 300),
    (A, "days"): (clocks, in_days(2, "business_days_close"), in_days(3, "business_days_close")),
    (A, "reading"): (clocks, in_days(2, "business_days_close"), in_days(2, "calendar_days_kc")),
    (A, "calendar"): (clocks, lambda _: build.office_hours(), lambda _: build.round_the_clock()),
    (P, "target"): (money, lambda case: case.target("P1"), lambda case: case.target("P4")),
    (P, "rate_type"): (scheme, "percent", "amount"),
    (P, "rate"): (money, Decimal(1), Decimal(2)),
    (P, "unit"): (money, "started_hour", "started_30min"),
    (P, "grace_minutes"): (money, 0, 90),
    (P, "grace_mode"): (
        scheme,
        {"grace_minutes": 15, "grace_mode": "deductible"},
        {"grace_minutes": 15, "grace_mode": "threshold"},
    ),
    (P, "tiers"): (money, [], [["1", "5"]]),
    (E, "target"): (clocks, "reaction", "restore"),
    (E, "share"): (clocks, 50, 60),
    (E, "offset_minutes"): (
        clocks,
        {"share": None, "offset_minutes": -30},
        {"share": None, "offset_minutes": 30},
    ),
    (E, "whom"): (rung, "manager", "duty"),
    (E, "person"): (
        rung,
        lambda case: {"whom": "person", "person": case.world.agent},
        lambda case: {"whom": "person", "person": case.world.manager},
    ),
    (E, "channel"): (rung, "email", "sms"),
    (R, "severity"): (next_message, "P4", "P3"),
    (R, "minutes"): (next_message, 60, 90),
    (R, "calendar"): (next_message, None, lambda _: build.office_hours()),
    (C, "zone"): (local_day, "Europe/Warsaw", "Europe/Lisbon"),
    (C, "ends_on"): (end, None, date(2026, 5, 31)),
    (C, "notice_months"): (end, 3, 1),
}
WORDS = {
    (V, "contract"): "whose version it is",
    (V, "number"): "the version's name",
    (V, "currency"): "the sign beside every sum; nothing is converted",
    (V, "signed_on"): "of the signed document",
    (V, "signatories"): "of the signed document",
    (V, "created_by"): "who entered it",
    (V, "valid_to"): "the first day of the next version, printed; the next version's own first day decides",
    (T, "version"): "whose target it is",
    (E, "version"): "whose rung it is",
    (R, "version"): "whose rhythm it is",
    (C, "client"): "whose contract it is; the database refuses another one",
    (C, "number"): "the contract's name",
    (C, "serial"): "the client's second, third… contract: its address",
    (C, "address"): "where the contract is read",
    (C, "starts_on"): "the first version's own first day, printed",
}


def row_of(case: Case, model: type[models.Model]) -> models.QuerySet[Any]:
    """The row of the case that a term of this table is changed in."""
    version = case.version
    rows: dict[type[models.Model], models.QuerySet[Any]] = {
        V: V.objects.filter(pk=version.pk),
        T: T.objects.filter(version=version, severity="P1", kind="restore"),
        A: A.objects.filter(target__version=version, outside=build.office_hours()),
        P: P.objects.filter(pk=case.rule.pk),
        E: E.objects.filter(version=version),
        R: R.objects.filter(version=version, severity="P4"),
        C: C.objects.filter(pk=version.contract_id),
    }
    return rows[model].filter(pk__in=list(rows[model].values_list("pk", flat=True)))


def outcome(case: Case, model: type[models.Model], column: str, value: Any) -> Any:
    """What its reader says with this value in the column; nothing of it stays."""
    reader = READ[model, column][0]
    with transaction.atomic():
        values = value(case) if callable(value) else value
        with as_owner():
            assert row_of(case, model).update(**(values if isinstance(values, dict) else {column: values})) == 1
        answer = reader(case)
        transaction.set_rollback(True)
    return answer


def test_every_column_of_a_contract_stands_in_one_of_the_two_lists() -> None:
    columns = {
        (model, field.name)
        for model in (V, T, A, P, E, R, C)
        for field in model._meta.concrete_fields
        if not field.primary_key
    }
    assert {*READ, *WORDS} == columns
    assert set(READ) & set(WORDS) == set()


def test_another_value_in_a_column_makes_another_promise(case: Case) -> None:
    unread = {
        f"{model.__name__}.{column}"
        for (model, column), (_reader, value, other) in READ.items()
        if outcome(case, model, column, value) == outcome(case, model, column, other)
    }
    assert unread == set()
