"""The naive contender's templates: a digest in nested tables, as email clients need it."""

from __future__ import annotations

_OPEN = """<!--[if mso | IE]><table align="center" border="0" cellpadding="0" cellspacing="0"
 class="" role="presentation" style="width:600px;" width="600" bgcolor="#ffffff"><tr>
<td style="line-height:0px;font-size:0px;mso-line-height-rule:exactly;"><![endif]-->
<div style="background:#ffffff;background-color:#ffffff;margin:0px auto;max-width:600px;">
<table align="center" border="0" cellpadding="0" cellspacing="0" role="presentation"
 style="background:#ffffff;background-color:#ffffff;width:100%;"><tbody><tr>
<td style="direction:ltr;font-size:0px;padding:8px 24px;text-align:left;">
<div class="mj-column-per-100 mj-outlook-group-fix" style="font-size:0px;text-align:left;
direction:ltr;display:inline-block;vertical-align:top;width:100%;"><div style="font-family:
Georgia,serif;font-size:16px;line-height:24px;text-align:left;color:#1c1b1a;">"""
_CLOSE = """</div></div></td></tr></tbody></table></div>
<!--[if mso | IE]></td></tr></table><![endif]-->"""
_BODY = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ week }}</title>
</head><body style="margin:0;background-color:#f4f2ee">{% for article in articles %}
OPEN<h2 style="margin:0;font-size:22px;line-height:28px"><a href="{{ article.url }}"
 style="color:#1c1b1a;text-decoration:none">{{ article.headline }}</a></h2>CLOSE
OPEN<p style="margin:0;font-size:17px;color:#444444">{{ article.lead }}</p>CLOSE
{% for paragraph in article.paragraphs %}OPEN<p style="margin:0">{{ paragraph }}</p>CLOSE
{% endfor %}OPEN<a href="{{ article.url }}" style="color:#8a1c1c">Read more</a>CLOSE{% endfor %}
OPEN<a href="{{ preferences }}">Preferences</a> <a href="{{ unsubscribe }}">Unsubscribe</a>CLOSE
</body></html>
"""
HTML = _BODY.replace("OPEN", _OPEN).replace("CLOSE", _CLOSE)

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
