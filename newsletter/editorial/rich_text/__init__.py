"""What cleaning knows about pasted and imported HTML, before it becomes canonical rich text.

Each module prepares one thing in a parsed tree: lists and headings of word processors (`office`),
formatting given by styles (`styles`), footnotes (`footnotes`), links (`links`) and pictures
(`pictures`). What can't be kept is reported as `dropped.Dropped`.
"""
