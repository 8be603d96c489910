"""Signals of delivery."""

from __future__ import annotations

from django.dispatch import Signal

alert = Signal()
"""Something that staff should know. Sent after the commit, with `kind` (a word), `mailing_id` (or
None) and `detail` (numbers in words, never an address)."""

refused = Signal()
"""Readers were refused for their own reasons. Sent after the batch is finished, with
`mailing_id`, `transport` (its name) and `refused` (newsletter.delivery.sending.batches.OutcomeRow).
It keeps the way out, `sending`, from importing the way back, `feedback`."""
