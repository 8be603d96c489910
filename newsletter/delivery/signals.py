"""Signals of delivery."""

from __future__ import annotations

from django.dispatch import Signal

alert = Signal()
"""Something that staff should know. Sent after the commit, with `kind` (a word), `mailing_id` (or
None) and `detail` (numbers in words, never an address)."""
