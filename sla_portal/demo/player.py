"""Plays a story in time order: the product's own verbs at given times, its sweeps at every moment between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min

from accounts.models import User
from contracts.models import Shop
from contracts.terms import seconds
from incidents import lifecycle, reporting
from incidents.models import Breach, Incident
from incidents.notices import sending
from incidents.sweeps import sweep_clocks
from monitoring import watch
from monitoring.models import Monitor
from monitoring.probe.specification import Reason, Result, StateWord, Timings
from reports.money import review

Act = Callable[[datetime], object]


@dataclass
class Player:
    """Collects acts and plays them; `incidents` keeps the incidents by the names that the story gives them."""

    acts: list[tuple[datetime, int, Act]] = field(default_factory=list)
    incidents: dict[str, Incident] = field(default_factory=dict)

    def at(self, when: datetime, act: Act) -> None:
        self.acts.append((when, len(self.acts), act))

    def play(self, until: datetime, progress: Callable[[int, int], None]) -> None:
        # What a story plans for after now happens now
        acts = sorted(
            ((min(when, until), order, act) for when, order, act in self.acts), key=lambda planned: planned[:2]
        )
        for number, (when, _order, act) in enumerate(acts, 1):
            self.sweep(when)
            act(when)
            sending.mark_sent(at=when)
            progress(number, len(acts))
        self.sweep(until)

    def sweep(self, until: datetime) -> None:
        """What the sweep of each second would have done, at the seconds when something was due."""
        while (wake := Incident.objects.aggregate(first=Min("wake_at"))["first"]) and wake <= until:
            if not sweep_clocks(at=wake):
                break
            # Nobody waits for a letter of last month
            sending.mark_sent(at=wake)

    def report(
        self, name: str, when: datetime, shop: Shop, symptom: str, by: User, sentence: str, **more: Any
    ) -> Scene:
        def file(at: datetime) -> None:
            self.incidents[name] = reporting.report(shop=shop, what=symptom, by=by, at=at, sentence=sentence, **more)

        self.at(when, file)
        return Scene(self, name)


@dataclass(frozen=True)
class Scene:
    """One incident of the story; every method plans one verb."""

    player: Player
    name: str

    def plan(self, when: datetime, verb: Callable[..., object], **facts: Any) -> Scene:
        self.player.at(when, lambda at: verb(incident=self.player.incidents[self.name], at=at, **facts))
        return self

    def react(self, when: datetime, by: User, text: str = "") -> Scene:
        return self.plan(when, lifecycle.acknowledge, by=by, text=text)

    def say(self, when: datetime, by: User, text: str) -> Scene:
        return self.plan(when, lifecycle.say, by=by, text=text)

    def note(self, when: datetime, by: User, text: str) -> Scene:
        return self.plan(when, lifecycle.note, by=by, text=text)

    def pause(self, when: datetime, by: User, text: str, reason: str = "client_answer") -> Scene:
        return self.plan(when, lifecycle.pause, by=by, text=text, reason=reason)

    def resume(self, when: datetime, by: User, reason: str) -> Scene:
        return self.plan(when, lifecycle.resume, by=by, reason=reason)

    def answer(self, when: datetime, by: User, text: str) -> Scene:
        return self.plan(when, lifecycle.answer, by=by, text=text)

    def backup(self, when: datetime, by: User, where: str, size: str, checksum: str = "") -> Scene:
        return self.plan(when, lifecycle.back_up, by=by, where=where, size=size, checksum=checksum)

    def no_backup(self, when: datetime, by: User, text: str) -> Scene:
        return self.plan(when, lifecycle.skip_backup, by=by, text=text)

    def workaround(self, when: datetime, by: User, text: str) -> Scene:
        return self.plan(when, lifecycle.work_around, by=by, text=text)

    def resolve(self, when: datetime, by: User, text: str) -> Scene:
        return self.plan(when, lifecycle.resolve, by=by, text=text)

    def accept(self, when: datetime, by: User, text: str = "") -> Scene:
        return self.plan(when, lifecycle.accept, by=by, text=text)

    def reject(self, when: datetime, by: User, text: str) -> Scene:
        return self.plan(when, lifecycle.reject, by=by, text=text)

    def worse(self, when: datetime, by: User, to: str, text: str) -> Scene:
        return self.plan(when, lifecycle.change_severity, by=by, to=to, change="worse", text=text)

    def contest(self, when: datetime, by: User, text: str) -> Scene:
        return self.plan(when, lifecycle.contest, by=by, text=text)

    def cancel(self, when: datetime, by: User, text: str) -> Scene:
        return self.plan(when, lifecycle.cancel, by=by, text=text)

    def hand_over(self, when: datetime, by: User, to: User) -> Scene:
        return self.plan(when, lifecycle.assign, by=by, to=to)

    def confirm(self, when: datetime, by: User, target: str) -> Scene:
        self.player.at(when, lambda at: review.confirm(breach=self._breach(target), by=by, at=at))
        return self

    def second(self, when: datetime, by: User, target: str) -> Scene:
        self.player.at(when, lambda at: review.second(decision=self._breach(target).decisions.get(), by=by, at=at))
        return self

    def exclude(
        self, when: datetime, by: User, target: str, reason: str, start: datetime, end: datetime, evidence: str
    ) -> Scene:
        def act(at: datetime) -> None:
            review.exclude(
                breach=self._breach(target), by=by, at=at, reason=reason, evidence=evidence, start=start, end=end
            )

        self.player.at(when, act)
        return self

    def _breach(self, target: str) -> Breach:
        return Breach.objects.get(incident=self.player.incidents[self.name], target=target)


def checked(monitor: Monitor, state: StateWord, reason: Reason, *, at: datetime, status: int = 200) -> None:
    """One check's result, through the same door as a real one; until then every check said what the last one did."""
    watch.extend_last_check(monitor, at=at - timedelta(seconds=1))
    result = Result(
        id=str(monitor.pk),
        state=state,
        reason=reason,
        status=status,
        at=seconds(at),
        place="warszawa",
        timings=Timings(dns=4, connect=11, tls=23, first_byte=180, total=240),
    )
    watch.record(monitor, result, at=at)
