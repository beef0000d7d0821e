"""The demo: every state of the pages can be found in it, made by the product's own verbs, and no letter leaves."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Client
from contracts.models import Contract, ContractVersion, Shop
from incidents import journal, queue
from incidents.choices import Status
from incidents.models import Breach, Incident, JournalEntry
from incidents.text.clock_sentences import ClockSentence, incident_sentences
from messaging.models import Notification
from monitoring.models import Outage, State
from reports.models import BreachDecision, Verdict
from tests.sla_portal.story import NOW, person, story

__all__ = ["story"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("story")]


def clocks(*, for_client: bool = False) -> list[ClockSentence]:
    return [one for incident in Incident.objects.with_row()
            for one in incident_sentences(incident, now=NOW, for_client=for_client)]  # fmt: skip


def has_clock(style: str) -> Callable[[], bool]:
    return lambda: any(one.style == style for one in clocks())


def has_paused(reason: str) -> Callable[[], bool]:
    return lambda: Incident.objects.filter(pauses__reason=reason, pauses__ended_at=None).exists()


def has(**facts: object) -> Callable[[], bool]:
    return lambda: Incident.objects.filter(**facts).exists()


def journal_has(**facts: object) -> Callable[[], bool]:
    return lambda: JournalEntry.objects.filter(**facts).exists()


def breaches_within_five_minutes() -> bool:
    soon = queue.waiting().filter(due_at__gt=NOW, due_at__lte=NOW + timedelta(minutes=5))
    return any(one.first_contact_at is None for one in soon)


def waits_for_a_second_person() -> bool:
    return BreachDecision.objects.awaiting_second().exists()


STATES: dict[str, Callable[[], bool]] = {
    "a clock that runs": has_clock("run"),
    "a clock that warns": has_clock("warn"),
    "a clock that stands for a pause": has_clock("hold"),
    "a clock that was met": has_clock("met"),
    "a clock that is late": has_clock("late"),
    "a clock that breaches within five minutes, nobody has answered": breaches_within_five_minutes,
    "nobody's incident": has(assignee=None, status=Status.NEW),
    "an incident in work": has(status=Status.OPEN),
    "a workaround that stands": has(status=Status.WORKAROUND),
    "a repair that waits for the client": has(status=Status.RESOLVED),
    "a closed incident": has(status=Status.CLOSED),
    "a withdrawn report": has(status=Status.CANCELLED),
    "a question": has(severity="", what="question"),
    "a contested category": has(contested=True),
    "a category that got worse": journal_has(kind="severity", change="worse", reason=""),
    "a possible leak": has(possible_leak=True),
    "an incident that a monitor opened": has(origin="monitor"),
    "paused for the client": has_paused("client_answer"),
    "paused for a third party": has_paused("third_party"),
    "a pause that was answered": journal_has(kind="resumed", reason="client_answer"),
    "a rejected repair, long ago and closed": has(journal__kind="rejected", status=Status.CLOSED),
    "a rejected repair, in work": has(journal__kind="rejected", status=Status.OPEN),
    "a backup": journal_has(kind="backup"),
    "a backup skipped with a reason": journal_has(kind="backup_skipped"),
    "an internal note": journal_has(kind="internal_note", public=False),
    "an incident handed over": journal_has(kind="assigned"),
    "a rung of the ladder that fired": journal_has(kind="escalated"),
    "a promised update that did not come": journal_has(kind="update_missed"),
    "accepted by silence": journal_has(kind="accepted", by=None),
    "the monitor saw the shop work again": journal_has(kind="monitor_recovered"),
    "an outage that ended": lambda: Outage.objects.exclude(ended_at=None).exists(),
    "a breach that waits for a decision": lambda: Breach.objects.filter(decisions=None).exclude(
        stopped_at=None).exists(),
    "a breach whose clock still runs": lambda: Breach.objects.filter(stopped_at=None).exists(),
    "a confirmed breach": lambda: BreachDecision.objects.filter(verdict=Verdict.CONFIRMED).exists(),
    "an excluded breach": lambda: BreachDecision.objects.filter(verdict=Verdict.EXCLUDED).exists(),
    "a decision that waits for a second person": waits_for_a_second_person,
    "a contract with two versions": lambda: ContractVersion.objects.filter(number=2).exists(),
    "a contract of availability only": lambda: ContractVersion.objects.filter(
        targets=None, availability_target__gt=0).exists(),
    "a shop whose monitors work": lambda: Shop.objects.filter(monitors__state=State.UP).exists(),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_the_pages_can_be_found(state: str) -> None:
    assert STATES[state]()


def test_one_provider_four_clients_nine_shops_three_shapes_of_contract() -> None:
    assert (Client.objects.count(), Shop.objects.count(), Contract.objects.count()) == (4, 9, 4)


def test_the_history_is_three_months_long() -> None:
    first = Incident.objects.earliest("received_at").received_at
    assert timedelta(days=80) < NOW - first < timedelta(days=100)
    months = {f"{received:%Y-%m}" for received in Incident.objects.values_list("received_at", flat=True)}
    assert len(months) >= 3


def test_every_group_of_the_queue_has_a_row() -> None:
    found = [group.key for group in queue.look(queue.Selection(person("agent").pk), NOW).groups]
    assert found == ["overdue", "now", "leave", "later", "client", "paused"]


def test_no_letter_is_left_to_send() -> None:
    assert Notification.objects.exists()
    assert set(Notification.objects.values_list("status", flat=True)) == {"sent"}


def test_every_chain_holds() -> None:
    for incident in Incident.objects.all():
        check = journal.check_chain(list(incident.journal.order_by("seq")))
        assert (check.broken_at, check.head) == (0, incident.journal_head), incident.nr


def test_the_stored_clocks_are_those_of_the_journal() -> None:
    said = StringIO()
    call_command("verify_clocks", stdout=said)
    assert said.getvalue() == f"{Incident.objects.count()} incidents, 0 wait for the sweep, 0 differences\n"


def test_nothing_is_called_a_test() -> None:
    said = [*Incident.objects.values_list("sentence", flat=True), *JournalEntry.objects.values_list("text", flat=True),
            *Client.objects.values_list("name", flat=True)]  # fmt: skip
    assert [text for text in said if re.search(r"\b(test \d|lorem|foo|asdf)\b", text, re.IGNORECASE)] == []


def test_people_in_the_database_stop_a_second_seed() -> None:
    with pytest.raises(CommandError, match="make reset"):
        call_command("demo_seed")
