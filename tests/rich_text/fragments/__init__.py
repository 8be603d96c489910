"""Sixty fragments as programs put them on the clipboard, with the words that a person sees.

The words are written by hand: in order, separated by spaces, footnotes last. `keeps` is HTML that
has to be in the stored text.
"""

from __future__ import annotations

from tests.rich_text.fragments.docs import DOCS
from tests.rich_text.fragments.fragment import Fragment as Fragment
from tests.rich_text.fragments.others import LIBRE, TELEGRAM, WEB
from tests.rich_text.fragments.word import WORD

FRAGMENTS = {
    f"{source}: {each.name}": each
    for source, group in {
        "Word": WORD,
        "Docs": DOCS,
        "LibreOffice": LIBRE,
        "Telegram": TELEGRAM,
        "web": WEB,
    }.items()
    for each in group
}
