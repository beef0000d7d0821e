"""How a page draws the sentence of a clock."""

from __future__ import annotations

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from incidents.text.clock_sentences import Lead
from wording.templatetags.words import time_element

register = template.Library()


@register.filter
def timed(lead: Lead) -> SafeString:
    """`{{ clock.lead|timed }}`: the words with their instant as a time element."""
    if lead.instant is None:
        return escape(lead)
    return format_html("{}{}{}", lead.before, time_element(lead.instant, lead.shown, lead.zone), lead.after)
