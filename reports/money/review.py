"""The manager's verbs on a breach: confirm it, or exclude a span of its delay; take that back. Nothing is overwritten.

Each act is a line of the incident's journal too (`decision_entries`).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.models import ContractVersion, ExclusionReason, Liability
from contracts.penalty.breach import Exclusion
from contracts.terms import seconds, to_second
from incidents.models import Breach
from incidents.reporting import lock
from reports import decision_entries
from reports.models import BreachDecision, Verdict
from reports.money.pricing import BreachPricer
from wording.refusals import Refused
from wording.texts import clean_text
from wording.words import full_time


@transaction.atomic
def confirm(*, breach: Breach, by: User, at: datetime) -> BreachDecision:
    """The delay stands as computed. Repeated by the same person, it changes nothing.

    Raises Refused where it is excluded, or somebody else has decided.
    """
    breach = _lock(breach)
    if decision := _decided(breach):
        return _repeated(decision, by, verdict=Verdict.CONFIRMED)
    amount = BreachPricer([breach], at).own(breach)
    return _decide(breach, Verdict.CONFIRMED, amount, amount, by=by, at=at)


@transaction.atomic
def exclude(
    *, breach: Breach, by: User, at: datetime, reason: str, evidence: str, start: datetime, end: datetime
) -> BreachDecision:
    """Leave out the part of the delay that the provider doesn't answer for; both amounts stay.

    Raises Refused for a span outside the delay, a reason that isn't one of the contract's, missing evidence, or a
    breach that is decided otherwise.
    """
    breach, evidence = _lock(breach), clean_text(evidence)
    given: dict[str, Any] = {"reason": reason, "excluded_from": to_second(start), "excluded_to": to_second(end)}
    if decision := _decided(breach):
        return _repeated(decision, by, verdict=Verdict.EXCLUDED, evidence=evidence, **given)
    _check_reason(breach.version, reason)
    if not evidence:
        raise Refused(_("Name the evidence, the journal's entry for instance."), "evidence")
    check_span(breach, start, end)
    pricer = BreachPricer([breach], at)
    before, after = pricer.own(breach), pricer.own(breach, [Exclusion(seconds(start), seconds(end), reason)])
    return _decide(breach, Verdict.EXCLUDED, before, after, by=by, at=at, evidence=evidence, **given)


@transaction.atomic
def second(*, decision: BreachDecision, by: User, at: datetime) -> BreachDecision:
    """A second person agrees with a decision above the contract's amount; from then on it counts.

    Raises Refused for the person who decided, and where one person was enough.
    """
    incident = lock(decision.breach.incident)
    rows = BreachDecision.objects.select_for_update(of=("self",)).select_related("breach__version")
    decision = rows.get(pk=decision.pk)
    if decision.second_by_id:
        return decision
    if decision.taken_back_at:
        raise Refused(_("This decision has been taken back; nothing was changed."))
    if not decision.awaits_second:
        raise Refused(_("Here one person is enough; nothing was changed."))
    if decision.by_id == by.pk:
        raise Refused(_("The second person must be another than the first."))
    decision.second_by, decision.second_at = by, to_second(at)
    decision.save(update_fields=["second_by", "second_at"])
    decision_entries.enter_second(incident, decision, by=by, at=decision.second_at)
    return decision


@transaction.atomic
def take_back(*, decision: BreachDecision, by: User, at: datetime, why: str) -> BreachDecision:
    """The decision counts no more, and the breach waits for another one; what was decided stays to be read.

    Repeated by the same person, it changes nothing. Raises Refused without a reason, and where somebody else was
    faster.
    """
    incident, why = lock(decision.breach.incident), clean_text(why)
    rows = BreachDecision.objects.select_for_update(of=("self",))
    decision = rows.select_related("breach__version__contract", "taken_back_by").get(pk=decision.pk)
    if decision.taken_back_by is not None:
        if decision.taken_back_by == by:
            return decision
        facts = {"name": decision.taken_back_by.name}
        raise Refused(_("%(name)s has taken this decision back already. Nothing was changed.") % facts)
    if not why:
        raise Refused(_("Say why the decision is taken back."), "why")
    decision.taken_back_by, decision.taken_back_at, decision.taken_back_why = by, to_second(at), why
    decision.save(update_fields=["taken_back_by", "taken_back_at", "taken_back_why"])
    decision_entries.enter_taken_back(incident, decision)
    return decision


def _lock(breach: Breach) -> Breach:
    """The row, locked after its incident, as every verb of it does; raises Refused while the clock runs and the delay
    grows.
    """
    lock(breach.incident)
    rows = Breach.objects.select_for_update(of=("self",)).select_related(
        "version__contract", "incident__version__contract"
    )
    breach = rows.get(pk=breach.pk)
    if breach.stopped_at is None:
        raise Refused(_("The clock still runs and the delay grows; decide when it has stopped."))
    return breach


def _decided(breach: Breach) -> BreachDecision | None:
    decisions = BreachDecision.objects.standing().filter(breach=breach)
    return decisions.select_related("by", "breach__version__contract").first()


def _repeated(decision: BreachDecision, by: User, **act: object) -> BreachDecision:
    """The same act of the same person, sent again, is the same decision; any other act is refused."""
    if decision.by_id == by.pk and all(getattr(decision, name) == value for name, value in act.items()):
        return decision
    facts = {
        "name": decision.by.name,
        "when": full_time(decision.at, decision.breach.version.contract.zone),
        "verdict": decision.get_verdict_display(),
    }
    raise Refused(_("Decided already: %(verdict)s, %(name)s, %(when)s. Nothing was changed.") % facts)


def _check_reason(version: ContractVersion, reason: str) -> None:
    if reason not in ExclusionReason.values:
        raise Refused(_("Choose the reason."), "reason")
    if reason not in version.allowed_exclusions():
        raise Refused(liability_words(version), "reason")


def liability_words(version: ContractVersion) -> str:
    """Why a reason isn't offered; "" where the contract lets the provider name every cause."""
    if version.liability == Liability.ZWLOKA:
        return ""
    allowed = [str(ExclusionReason(reason).label) for reason in version.allowed_exclusions()]
    if not allowed:
        return _("By this version the provider answers for any delay (opóźnienie): nothing can be excluded.")
    text = _("By this version the provider answers for any delay (opóźnienie); it excludes only: %(reasons)s.")
    return text % {"reasons": ", ".join(allowed)}


def check_span(breach: Breach, start: datetime, end: datetime) -> None:
    """Raises Refused for time that isn't part of the delay."""
    if end <= start:
        raise Refused(_("The excluded time ends before it starts."), "end")
    if start < breach.deadline:
        raise Refused(_("Only the delay after the deadline can be excluded."), "start")
    if breach.stopped_at and end > breach.stopped_at:
        raise Refused(_("The excluded time ends after the stop."), "end")


def _decide(
    breach: Breach, verdict: str, before: Decimal, after: Decimal, *, by: User, at: datetime, **fields: object
) -> BreachDecision:
    decision = BreachDecision.objects.create(
        breach=breach, verdict=verdict, amount_before=before, amount_after=after, by=by, at=to_second(at), **fields
    )
    decision_entries.enter(lock(breach.incident), decision)
    return decision
