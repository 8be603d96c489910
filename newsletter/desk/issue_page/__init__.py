"""The issue's page: its texts, its articles in order, the week's trends, and what comes next.

The page is one form. Each button submits all of it, so no action discards what was typed, with or
without JavaScript. The page also sends back what it showed when it was opened, and a save compares
that with what is stored by now: a colleague's newer values are never overwritten silently (I1).
"""
