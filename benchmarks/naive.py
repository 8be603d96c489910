"""Send as most Django projects do: two templates and EmailMultiAlternatives per recipient.

`python -m benchmarks.naive PORT MESSAGES NUMBER` runs one of its processes, which reports in JSON.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter
from typing import Any

from django.conf import settings

from benchmarks.naive_templates import HTML, TEXT
from benchmarks.processes import cpu_seconds, peak_memory


def configure(port: int) -> None:
    import django

    settings.configure(
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        USE_I18N=False,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        (
                            "django.template.loaders.locmem.Loader",
                            {"digest.html": HTML, "digest.txt": TEXT},
                        )
                    ]
                },
            }
        ],
    )
    django.setup()


def articles() -> list[dict[str, Any]]:
    from benchmarks.words import ARTICLES, PARAGRAPHS, text

    return [
        {
            "headline": text(number, 8),
            "lead": text(100 + number, 40),
            "paragraphs": [text(1000 + 50 * number + part, 85) for part in range(PARAGRAPHS)],
            "url": f"https://news.example.org/en/articles/naive-{number}/",
        }
        for number in range(ARTICLES)
    ]


def send_all(messages: int, number: int) -> None:
    from django.core.mail import EmailMultiAlternatives, get_connection
    from django.template.loader import render_to_string

    content = articles()
    connection = get_connection()
    connection.open()
    for index in range(messages):
        token = f"{number}-{index:030d}"
        context = {
            "articles": content,
            "week": "July 24 – July 30, 2017",
            "unsubscribe": f"https://news.example.org/u/{token}/",
            "preferences": f"https://news.example.org/en/preferences/{token}/",
        }
        message = EmailMultiAlternatives(
            subject=content[0]["headline"],
            body=render_to_string("digest.txt", context),
            from_email="Bench <desk@news.example.org>",
            to=[f"reader{number}-{index:08d}@readers.example"],
            headers={"List-Unsubscribe": f"<{context['unsubscribe']}>"},
            connection=connection,
        )
        message.attach_alternative(render_to_string("digest.html", context), "text/html")
        message.send()
    connection.close()


def main() -> None:
    port, messages, number = map(int, sys.argv[1:])
    configure(port)
    print("ready", flush=True)
    sys.stdin.readline()
    started, cpu = perf_counter(), cpu_seconds()
    send_all(messages, number)
    used = {"cpu": cpu_seconds() - cpu, "memory": peak_memory()}
    print(json.dumps({"seconds": perf_counter() - started, **used}), flush=True)


if __name__ == "__main__":
    main()
