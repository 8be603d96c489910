"""An inline image as providers get it, with every supported version of Django (C4)."""

from __future__ import annotations

import email
from email import policy

from django.core.mail import EmailMultiAlternatives

from newsletter.transport.esp.batch import InlineImage
from newsletter.transport.outcomes import Image


def test_an_image_becomes_an_inline_part_of_the_message() -> None:
    """Amazon SES gets the whole message as Django serializes it, not its parts."""
    content = bytes(range(256))
    message = EmailMultiAlternatives("Week", "Text", "desk@news.example.org", ["r@example.org"])
    message.attach_alternative('<img src="cid:river@news.example.org">', "text/html")
    message.attach(InlineImage(Image("river@news.example.org", content, "image/jpeg")))
    parsed = email.message_from_bytes(message.message().as_bytes(), policy=policy.default)
    (part,) = parsed.iter_attachments()
    assert part.get_content_type() == "image/jpeg"
    assert part.get_content_disposition() == "inline"
    assert part.get_filename() == "river.jpg"
    assert part["Content-ID"] == "<river@news.example.org>"
    assert part.get_content() == content
