"""How a page draws the sentence of a clock."""

from __future__ import annotations

from django import template
from django.template import Context
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from incidents.text.clock_sentences import ClockSentence, Lead
from wording.templatetags.words import countdown, time_element

register = template.Library()


@register.filter
def timed(lead: Lead) -> SafeString:
    """`{{ clock.lead|timed }}`: the words with their instant as a time element."""
    if lead.instant is None:
        return escape(lead)
    return format_html("{}{}{}", lead.before, time_element(lead.instant, lead.shown, lead.zone), lead.after)


@register.simple_tag(takes_context=True)
def tail(context: Context, clock: ClockSentence, *, total: int = 0) -> SafeString:
    """`{% tail clock %}`: what follows the lead; the seconds that the page counts on stand at their place in it."""
    if clock.left is None:
        return escape(clock.tail)
    before, after = clock.around
    counted = countdown(context, clock.left, clock.until, working=clock.working, total=total)
    return format_html("{}{}{}", before, counted, after)
