"""Rich text: what it may contain, and how each channel shows it.

`table` defines the allowed elements. `tree` parses HTML, `structure` brings it into the one
canonical form, and the other modules render that form for pages, feeds, emails and plain text.
Cleaning, which also understands what word processors paste, is `newsletter.editorial.rich_text`.
"""
