"""The naive contender's templates: a digest in nested tables, as mail programs want it."""

from __future__ import annotations

HTML = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ week }}</title>
</head><body style="margin:0;background-color:#f4f2ee">{% for article in articles %}
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"
 style="border-collapse:collapse;max-width:600px;margin:0 auto;background-color:#ffffff"><tr>
<td style="padding:24px 24px 0 24px;font-family:Georgia,serif;font-size:22px;line-height:28px">
<a href="{{ article.url }}" style="color:#1c1b1a;text-decoration:none">{{ article.headline }}</a>
</td></tr><tr><td style="padding:8px 24px;font-family:Georgia,serif;font-size:17px;color:#444444">
{{ article.lead }}</td></tr>{% for paragraph in article.paragraphs %}<tr>
<td style="padding:8px 24px;font-family:Georgia,serif;font-size:16px;line-height:24px">
<p style="margin:0 0 12px 0">{{ paragraph }}</p></td></tr>{% endfor %}
<tr><td style="padding:8px 24px 24px 24px;font-family:Arial,sans-serif;font-size:14px">
<a href="{{ article.url }}" style="color:#8a1c1c">Read more</a></td></tr></table>{% endfor %}
<p style="font-family:Arial,sans-serif;font-size:12px"><a href="{{ preferences }}">Preferences</a>
<a href="{{ unsubscribe }}">Unsubscribe</a></p></body></html>
"""

TEXT = """{% autoescape off %}{{ week }}
{% for article in articles %}
{{ article.headline|upper }}

{{ article.lead }}
{% for paragraph in article.paragraphs %}
{{ paragraph|wordwrap:72 }}
{% endfor %}
Read more: {{ article.url }}
{% endfor %}
Preferences: {{ preferences }}
Unsubscribe: {{ unsubscribe }}
{% endautoescape %}"""
