"""Each reader gets an issue in their own languages."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from newsletter.local import message_view
from tests.e2e.content import article, document
from tests.e2e.site import Site

pytestmark = [pytest.mark.e2e, pytest.mark.server]
REAL_ISSUES = os.environ.get("REAL_ISSUES", "")
"""A file of issues of the newsletter “belarus-in-focus”, which is not in this repository."""


@dataclass
class ReadEmail:
    """The text and the HTML of a delivered email."""

    text: str
    html: str

    def has(self, words: str) -> bool:
        """Return whether both forms contain these words; fail if only one does."""
        flat = " ".join(self.text.split())
        assert (words in flat) == (words in self.html), words
        return words in flat


def add_two_readers(site: Site, newsletter: str) -> None:
    site.add_reader(f"en@{newsletter}.example", newsletter, "en")
    site.add_reader(f"be@{newsletter}.example", newsletter, "be,ru")


def send_and_read(site: Site, newsletter: str, week: str) -> tuple[ReadEmail, ReadEmail]:
    """Send an issue and return what the English and the BE/RU reader get. Check the audit."""
    addresses = [f"en@{newsletter}.example", f"be@{newsletter}.example"]
    before = [len(site.emails(address)) for address in addresses]
    output = site.run("send_issue", newsletter, week, "--wait")
    assert "2 readers" in output
    assert "Every reader is accounted for." in output
    fresh = [site.emails(name)[count:] for name, count in zip(addresses, before, strict=True)]
    assert [len(emails) for emails in fresh] == [1, 1]
    english, belarusian = (
        ReadEmail(message_view.plain_text(emails[0]), message_view.html(emails[0]))
        for emails in fresh
    )
    return english, belarusian


def assert_every_reader_is_accounted_for(site: Site, title: str) -> None:
    found = site.audit(title)
    assert len(found) == 2
    for finding in found:
        assert (finding["state"], finding["faults"]) == ("finished", [])
        assert (finding["readers"], finding["sent"], finding["waiting"]) == (2, 2, 0)


def test_each_article_comes_in_the_readers_first_available_language(site: Site) -> None:
    issues = {
        "2017-05-15": [article(credit="photo.example", en="Seeking", ru="Поиски")],
        "2017-07-24": [
            article(en="The army grows", be="Войска расце", ru="Армия растёт"),
            article("west", en="Opening to the West"),
        ],
    }
    site.import_document(document("chains", issues))
    add_two_readers(site, "chains")
    english, belarusian = send_and_read(site, "chains", "2017-07-24")
    assert english.has("The army grows — lead.")
    assert english.has("Opening to the West — lead.")
    assert belarusian.has("Войска расце — lead.")
    assert not belarusian.has("The army grows")
    assert not belarusian.has("Армия растёт")
    assert belarusian.has("Таксама на гэтым тыдні, па-англійску:")
    assert belarusian.has("Opening to the West")
    assert not belarusian.has("Opening to the West — lead.")
    english, belarusian = send_and_read(site, "chains", "2017-05-15")
    assert english.has("Photo: photo.example")
    assert belarusian.has("Поиски — lead.")
    assert belarusian.has("па-руску")
    assert belarusian.has("Фото: photo.example")
    assert_every_reader_is_accounted_for(site, "Chains")


@pytest.mark.skipif(not REAL_ISSUES, reason="REAL_ISSUES does not name a file of published issues")
def test_the_real_issues_reach_both_readers(site: Site) -> None:
    site.run("import_issues", REAL_ISSUES)
    assert "Nothing to change" in site.run("import_issues", REAL_ISSUES)
    add_two_readers(site, "belarus-in-focus")
    english, belarusian = send_and_read(site, "belarus-in-focus", "2017-07-24")
    west = "Minsk attempts to make up for image losses"
    assert english.has("influence of army and China in Belarus have enhanced")
    assert english.has(west)
    assert english.has("Photo: Catholic.by")
    assert belarusian.has("уплыў войска і Кітая ў Беларусі ўзмацніўся")
    assert not belarusian.has("influence of army and China")
    assert not belarusian.has("влияние армии")
    assert belarusian.has("па-англійску:")
    assert belarusian.has(west)
    assert not belarusian.has("The Belarusian authorities regard the Catholic conference")
    english, belarusian = send_and_read(site, "belarus-in-focus", "2017-05-15")
    assert english.has("Minsk seeks additional security guarantees")
    assert english.has("Photo: 4esnok.by")
    assert belarusian.has("Минск ищет дополнительные гарантии безопасности")
    assert belarusian.has("па-руску")
    assert belarusian.has("Фото: 4esnok.by")
    assert_every_reader_is_accounted_for(site, "Belarus in Focus")
