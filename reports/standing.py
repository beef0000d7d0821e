"""How a client's shops stand together, in one state: what home says before anything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import Client, User
from contracts.models import Shop
from incidents.models import Incident
from monitoring.availability.shops import state_of as state_of_shop
from monitoring.availability.shops import worst_of
from monitoring.models import Monitor
from monitoring.probe.specification import State
from monitoring.sentences import shop_sentence, shop_style
from monitoring.state.shop import WORST_FIRST, ShopState


@dataclass(frozen=True, slots=True)
class ShopLine:
    """A shop and what it is said to be, `incident` the one that says so; `style` is empty where nothing is watched."""

    shop: Shop
    shop_state: ShopState
    incident: Incident | None = None

    @property
    def style(self) -> str:
        return shop_style(self.shop_state)

    @property
    def sentence(self) -> str:
        return shop_sentence(self.shop_state)

    @property
    def since(self) -> datetime | None:
        trouble = self.shop_state.trouble
        is_eased = self.shop_state.is_reported and trouble is not None and trouble.eased
        return None if self.shop_state.state == State.UP or is_eased else self.shop_state.since

    @property
    def checked_at(self) -> datetime | None:
        """When what is said was seen; None where nobody has seen it."""
        return self.shop_state.checked_at if self.shop_state.is_known and not self.shop_state.is_reported else None

    @property
    def seen_up_at(self) -> datetime | None:
        """When our monitors saw no failure of what is reported."""
        measured = self.shop_state.measured
        return measured.checked_at if measured and measured.state == State.UP else None


def shop_lines(user: User, client: Client, now: datetime) -> list[ShopLine]:
    """Every shop that is looked after, with what it is said to be now."""
    monitors: defaultdict[int, list[Monitor]] = defaultdict(list)
    for monitor in Monitor.objects.visible_to(user).filter(shop__client=client, is_active=True, means_down=True):
        monitors[monitor.shop_id].append(monitor)
    incidents: defaultdict[int, list[Incident]] = defaultdict(list)
    for incident in worst_of(Incident.objects.visible_to(user).filter(client=client)).select_related("assignee"):
        incidents[incident.shop_id].append(incident)
    shops = Shop.objects.visible_to(user).filter(client=client, is_active=True)
    return [_line(shop, monitors[shop.pk], incidents[shop.pk], now) for shop in shops]


def _line(shop: Shop, monitors: Sequence[Monitor], incidents: Sequence[Incident], now: datetime) -> ShopLine:
    shop_state = state_of_shop(monitors, now, incidents)
    trouble = shop_state.trouble
    return ShopLine(shop, shop_state, next((row for row in incidents if trouble and row.nr == trouble.nr), None))


@dataclass(frozen=True, slots=True)
class HomeState:
    """The page's h1 and the sentence under it: the worst first, then what waits for the client."""

    title: str
    incident: Incident | None = None
    kind: str = ""


def home_state(shops: Sequence[ShopLine], waiting: Sequence[Incident], others: Sequence[Incident]) -> HomeState:
    """`waiting`: the incidents that wait for the client; `others`: those that wait for us."""
    worst = min((WORST_FIRST.index(line.shop_state.state) for line in shops), default=WORST_FIRST.index(State.PAUSED))
    state = WORST_FIRST[worst]
    lines = [line for line in shops if line.shop_state.state == state]
    names = {"shop": ", ".join(line.shop.name for line in lines)}
    if state == State.DOWN:
        incident = next((line.incident for line in lines if line.incident), None)
        if incident:
            return HomeState(_("Failure at %(shop)s") % names, incident, "failure")
        return HomeState(_("%(shop)s does not work") % names, kind="down")
    if waiting:
        return HomeState(_("We are waiting for you"), waiting[0], "yours")
    if others:
        return HomeState(_("We are working on it"), others[0], "work")
    if state == State.UNKNOWN:
        return HomeState(_("We don't know whether %(shop)s works") % names, kind="unseen")
    if {line.shop_state.state for line in shops if line.shop_state.is_watched} == {State.UP}:
        return HomeState(_("Everything works"), kind="well")
    return HomeState(_("No failure is open"), kind="unsure")
