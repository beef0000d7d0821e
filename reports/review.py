"""The manager's verbs on a breach: confirm it, or exclude a span of its delay. Decided once; nothing is overwritten."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.models import ExclusionReason
from contracts.penalties import ZERO, Account
from contracts.penalty_breach import Exclusion
from contracts.terms import seconds, whole
from incidents.models import Breach
from incidents.refusals import Refused
from reports.models import BreachDecision, Verdict
from reports.pricing import Book


@transaction.atomic
def confirm(*, breach: Breach, by: User, at: datetime) -> BreachDecision:
    """The delay stands as computed. Repeated by the same person, it changes nothing."""
    breach = _lock(breach)
    if known := BreachDecision.objects.filter(breach=breach).first():
        return _same(known, by)
    amount = _amount(_account(breach, at))
    return _decide(breach, Verdict.CONFIRMED, amount, amount, by=by, at=at)


@transaction.atomic
def exclude(
    *, breach: Breach, by: User, at: datetime, reason: str, evidence: str, start: datetime, end: datetime
) -> BreachDecision:
    """Leave out the part of the delay that the provider doesn't answer for; both amounts stay.

    Raises Refused for a span outside the delay, an unknown reason or missing evidence.
    """
    breach = _lock(breach)
    if known := BreachDecision.objects.filter(breach=breach).first():
        return _same(known, by)
    if reason not in ExclusionReason.values:
        raise Refused(_("Choose the reason."), "reason")
    if not evidence.strip():
        raise Refused(_("Name the evidence, the journal's entry for instance."), "evidence")
    _inside(breach, start, end)
    excluded = [Exclusion(seconds(start), seconds(end), reason)]
    before, after = _amount(_account(breach, at)), _amount(_account(breach, at, excluded))
    return _decide(
        breach, Verdict.EXCLUDED, before, after, by=by, at=at, reason=reason, evidence=evidence.strip(),
        excluded_from=whole(start), excluded_to=whole(end),
    )  # fmt: skip


@transaction.atomic
def second(*, decision: BreachDecision, by: User, at: datetime) -> BreachDecision:
    """A second person agrees with a decision above the contract's amount."""
    decision = BreachDecision.objects.select_for_update().get(pk=decision.pk)
    if decision.second_by_id:
        return decision
    if decision.by_id == by.pk:
        raise Refused(_("The second person must be another than the first."))
    decision.second_by, decision.second_at = by, whole(at)
    decision.save(update_fields=["second_by", "second_at"])
    return decision


def needs_second(breach: Breach, amount: Decimal) -> bool:
    limit = breach.version.second_person_above
    return limit is not None and amount > limit


def _lock(breach: Breach) -> Breach:
    """The row, locked; a clock that still runs can't be judged, for its delay still grows."""
    rows = Breach.objects.select_for_update(of=("self",)).select_related(
        "version__contract", "incident__version__contract"
    )
    breach = rows.get(pk=breach.pk)
    if breach.stopped_at is None:
        raise Refused(_("The clock still runs and the delay grows; decide when it has stopped."))
    return breach


def _same(known: BreachDecision, by: User) -> BreachDecision:
    if known.by_id != by.pk:
        raise Refused(_("%(name)s has decided this already.") % {"name": known.by.name})
    return known


def _inside(breach: Breach, start: datetime, end: datetime) -> None:
    if end <= start:
        raise Refused(_("The excluded time ends before it starts."), "end")
    if start < breach.deadline:
        raise Refused(_("Only the delay after the deadline can be excluded."), "start")
    if breach.stopped_at and end > breach.stopped_at:
        raise Refused(_("The excluded time ends after the stop."), "end")


def _account(breach: Breach, at: datetime, exclusions: list[Exclusion] | None = None) -> Account | None:
    return Book([breach], at).case(breach, exclusions or []).account


def _amount(account: Account | None) -> Decimal:
    return account.amount if account else ZERO


def _decide(
    breach: Breach, verdict: str, before: Decimal, after: Decimal, *, by: User, at: datetime, **fields: object
) -> BreachDecision:
    return BreachDecision.objects.create(
        breach=breach, verdict=verdict, amount_before=before, amount_after=after, by=by, at=whole(at), **fields
    )
