"""The rows of a breakdown of money on a page: what, how much; the last is the result."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from contracts.penalty.rules import (
    CapLine,
    ChargeLine,
    ExcludedLine,
    ExplainedAmount,
    GraceLine,
    LateLine,
    Line,
    ResultLine,
    RoundLine,
    Unit,
    UnitsLine,
    rounded,
)
from contracts.penalty.text import MoneyFormat, counted, sentence, step_product
from wording.words import bare_span, money


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """`style` is the row's class in the breakdown: late, off, sum or none."""

    style: str
    head: str
    sentence: str
    figure: str


def money_rows(breakdown: ExplainedAmount, currency: str) -> list[MoneyRow]:
    """One row a line; a rounding that changes nothing and a delay that the clock's breakdown has said are left out."""
    money_format = MoneyFormat(currency)
    return [_row(line, money_format, currency) for line in breakdown.lines if _tells(line)]


def _tells(line: Line) -> bool:
    if isinstance(line, LateLine):
        return line.real_time
    return not (isinstance(line, RoundLine) and line.change == 0)


def _row(line: Line, money_format: MoneyFormat, currency: str) -> MoneyRow:
    match line:
        case LateLine():
            return MoneyRow("late", _("Delay"), sentence(line, money_format), bare_span(line.delay, seconds_shown=True))
        case ExcludedLine() | GraceLine():
            figure = f"− {bare_span(line.taken, seconds_shown=True)}" if line.taken else _("no change")
            return MoneyRow("off", "", sentence(line, money_format), figure)
        case UnitsLine():
            return MoneyRow("", "", sentence(line, money_format), counted(line.units, Unit.named(line.unit)))
        case ChargeLine():
            return MoneyRow("", "", step_product(line, money_format), money_format.money(line.amount))
        case CapLine():
            figure = _("no change") if line.before == line.after else money(line.after, currency)
            return MoneyRow("", "", sentence(line, money_format), figure)
        case RoundLine():
            return MoneyRow("", "", sentence(line, money_format), money(line.to, currency))
        case ResultLine():
            return MoneyRow("sum", _("Penalty"), "", money(line.total, currency))
        case _:
            return MoneyRow(
                "", "", sentence(line, money_format), money_format.money(rounded(line.change)) if line.change else ""
            )
