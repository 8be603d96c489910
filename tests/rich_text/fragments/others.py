"""What LibreOffice, Telegram and web pages put on the clipboard."""
# ruff: noqa: E501 - HTML as programs write it

from __future__ import annotations

from tests.rich_text.fragments.fragment import Fragment


def _libre(body: str) -> str:
    return (
        '<!DOCTYPE html><html><head><meta http-equiv="content-type" content="text/html; '
        'charset=utf-8"/><title></title><meta name="generator" content="LibreOffice 7.4 (Linux)"/>'
        '<style type="text/css">p { margin-bottom: 0.25cm }</style></head>'
        f'<body lang="be-BY" dir="ltr">{body}</body></html>'
    )


LIBRE = [
    Fragment(
        "a paragraph with fonts",
        _libre(
            '<p style="line-height: 100%"><font face="Liberation Serif, serif"><font size="3">Лодкі '
            "<b>зноў</b> на\nвадзе</font></font></p>"
        ),
        "Лодкі зноў на вадзе",
        ("<p>Лодкі <strong>зноў</strong> на вадзе</p>",),
    ),
    Fragment(
        "a footnote",
        _libre(
            '<p lang="be-BY" class="western">Вада ўпала<a class="sdfootnoteanc" '
            'name="sdfootnote1anc" href="#sdfootnote1sym"><sup>1</sup></a> на метр.</p>'
            '<div id="sdfootnote1"><p class="sdfootnote-western"><a class="sdfootnotesym" '
            'name="sdfootnote1sym" href="#sdfootnote1anc">1</a>Замер у порце.</p></div>'
        ),
        "Вада ўпала на метр. Замер у порце.",
        (
            'ўпала<sup class="note"><a href="#note-1">1</a></sup> на метр.',
            '<li id="note-1">Замер у порце.</li>',
        ),
    ),
    Fragment(
        "an endnote with two paragraphs",
        _libre(
            '<p>Вода<a class="sdendnoteanc" name="sdendnote1anc" href="#sdendnote1sym"><sup>i</sup>'
            '</a> упала.</p><div id="sdendnote1"><p class="sdendnote"><a class="sdendnotesym" '
            'name="sdendnote1sym" href="#sdendnote1anc">i</a>Первый абзац.</p>'
            '<p class="sdendnote">Второй абзац.</p></div>'
        ),
        "Вода упала. Первый абзац. Второй абзац.",
        ('<li id="note-1"><p>Первый абзац.</p><p>Второй абзац.</p></li>',),
    ),
    Fragment(
        "a list with paragraphs",
        _libre('<ol><li><p style="margin-bottom: 0cm">адзін</p></li><li><p>два</p></li></ol>'),
        "адзін два",
        ("<ol><li>адзін</li><li>два</li></ol>",),
    ),
    Fragment(
        "a nested list in an item",
        _libre("<ul><li><p>рака</p><ul><li><p>паром</p></li></ul></li></ul>"),
        "рака паром",
        ("<ul><li>рака<ul><li>паром</li></ul></li></ul>",),
    ),
    Fragment(
        "headings and italics",
        _libre('<h2 class="western">Лета</h2><p><i>Спякота</i> да <i><b>жніўня</b></i></p>'),
        "Лета Спякота да жніўня",
        ("<h2>Лета</h2>", "<strong><em>жніўня</em></strong>"),
    ),
    Fragment(
        "a table with a caption-like heading row",
        _libre(
            '<table width="100%" cellpadding="4"><thead><tr><th><p>Год</p></th><th><p>Вада</p></th>'
            "</tr></thead><tbody><tr><td><p>2025</p></td><td><p>3&nbsp;м</p></td></tr></tbody></table>"
        ),
        "Год Вада 2025 3\xa0м",
        ('<thead><tr><th scope="col">Год</th>', "<td>2025</td>"),
    ),
    Fragment(
        "powers",
        _libre("<p>3×10<sup>9</sup> л, x<sub>0</sub></p>"),
        "3×109 л, x0",
        ("10<sup>9</sup>", "x<sub>0</sub>"),
    ),
]

TELEGRAM = [
    Fragment(
        "plain text with lines",
        "Паром ходзіць з 8 да 20\nКвіток — 2 рублі\n\nУ нядзелю выхадны",
        "Паром ходзіць з 8 да 20 Квіток — 2 рублі У нядзелю выхадны",
        ("<p>Паром ходзіць з 8 да 20<br>Квіток — 2 рублі</p><p>У нядзелю выхадны</p>",),
    ),
    Fragment(
        "plain text with signs",
        "Цена < 100 & > 50\nа было 120",
        "Цена < 100 & > 50 а было 120",
        ("<p>Цена &lt; 100 &amp; &gt; 50<br>а было 120</p>",),
    ),
    Fragment(
        "line breaks",
        "Первая строка<br>вторая строка<br><br>новый абзац",
        "Первая строка вторая строка новый абзац",
        ("<p>Первая строка<br>вторая строка</p><p>новый абзац</p>",),
    ),
    Fragment(
        "a quotation",
        "Мэр сказаў:<br><blockquote>Мост будзе<br>да восені</blockquote>Пабачым",
        "Мэр сказаў: Мост будзе да восені Пабачым",
        ("<blockquote><p>Мост будзе<br>да восені</p></blockquote><p>Пабачым</p>",),
    ),
    Fragment(
        "a spoiler",
        "Перамог <tg-spoiler>«Паром»</tg-spoiler> з лікам 2:1",
        "Перамог «Паром» з лікам 2:1",
        ("<p>Перамог «Паром» з лікам 2:1</p>",),
    ),
    Fragment(
        "bold, italic and struck out",
        "<b>Увага</b>, <i>заўтра</i> <del>у 8</del> <strong>у 9</strong>",
        "Увага, заўтра у 8 у 9",
        ("<strong>Увага</strong>, <em>заўтра</em> <s>у 8</s> <strong>у 9</strong>",),
    ),
    Fragment(
        "emoji as pictures",
        '<div>Перамога <img class="emoji" src="https://web.example/1f389.png" alt="🎉"> у нас</div>',
        "Перамога 🎉 у нас",
        ("<p>Перамога 🎉 у нас</p>",),
    ),
    Fragment(
        "text whose lines are preserved by style",
        '<div style="white-space: pre-wrap;">радок адзін\nрадок два</div>',
        "радок адзін радок два",
        ("<p>радок адзін<br>радок два</p>",),
    ),
]

WEB = [
    Fragment(
        "blocks without paragraphs",
        "<div>Адзін<div>два</div>тры<section>чатыры</section></div>пяць",
        "Адзін два тры чатыры пяць",
        ("<p>Адзін</p><p>два</p><p>тры</p><p>чатыры</p><p>пяць</p>",),
    ),
    Fragment(
        "cells without a table",
        "<td>север</td><td>юг</td>",
        "север юг",
        ("<p>север юг</p>",),
    ),
    Fragment(
        "an encyclopaedia's footnotes",
        '<p>Река длинная<sup id="cite_ref-a_1-0" class="reference"><a href="#cite_note-a-1">[1]</a>'
        '</sup>.</p><ol class="references"><li id="cite_note-a-1"><b><a href="#cite_ref-a_1-0">↑</a>'
        "</b> <span>Атлас, с. 5.</span></li></ol>",
        "Река длинная. Атлас, с. 5.",
        ('<li id="note-1">Атлас, с. 5.</li>',),
    ),
    Fragment(
        "a generator's footnotes",
        '<p>Text<a href="#fn1" class="footnote-ref" id="fnref1" role="doc-noteref"><sup>1</sup></a> '
        'goes on</p><section class="footnotes"><hr><ol><li id="fn1"><p>Said twice.<a href="#fnref1" '
        'class="footnote-back" role="doc-backlink">↩︎</a></p></li></ol></section>',
        "Text goes on Said twice.",
        ('<ol class="notes"><li id="note-1">Said twice.</li></ol>',),
    ),
    Fragment(
        "a quotation with its source",
        "<blockquote><p>Вада вернецца.</p><footer>— <cite>Капітан, 2025</cite></footer></blockquote>",
        "Вада вернецца. Капітан, 2025",
        ("<footer><em>Капітан, 2025</em></footer>",),
    ),
    Fragment(
        "a quotation as a figure",
        "<figure><blockquote><p>Нам нужен мост.</p></blockquote><figcaption>Житель</figcaption>"
        "</figure>",
        "Нам нужен мост. Житель",
        ("<blockquote><p>Нам нужен мост.</p><footer>Житель</footer></blockquote>",),
    ),
    Fragment(
        "a picture that isn't ours, with a caption",
        '<figure><img src="https://elsewhere.example/p.jpg" alt="мост"><figcaption>Мост у тумане'
        "</figcaption></figure>",
        "Мост у тумане",
        ("<p>Мост у тумане</p>",),
    ),
    Fragment(
        "a table with a caption, a head, a body and a foot",
        "<table><caption>Вада па месяцах</caption><thead><tr><th>Месяц</th><th>м</th></tr></thead>"
        "<tfoot><tr><td>Разам</td><td>7</td></tr></tfoot><tbody><tr><th>Май</th><td>3</td></tr>"
        "<tr><th>Чэрвень</th><td>4</td></tr></tbody></table>",
        "Вада па месяцах Месяц м Май 3 Чэрвень 4 Разам 7",
        ("<caption>Вада па месяцах</caption>", '<th scope="row">Май</th>'),
    ),
    Fragment(
        "a table in a table",
        "<table><tr><td>лево<table><tr><td>а</td><td>б</td></tr></table></td><td>право</td></tr>"
        "</table>",
        "лево а б право",
        ("<td><p>лево</p><p>а</p><p>б</p></td>",),
    ),
    Fragment(
        "a passage in another language",
        '<p>Як кажуць, <span lang="fr">bon voyage</span>.</p><p lang="en">The end.</p>',
        "Як кажуць, bon voyage. The end.",
        ('<span lang="fr">bon voyage</span>', '<p lang="en">The end.</p>'),
    ),
    Fragment(
        "quotation marks that a browser adds",
        "<p>Капітан: <q>пачакаем</q>, and <q>wait</q></p>",
        "Капітан: «пачакаем», and “wait”",
    ),
    Fragment(
        "terms and their meanings",
        "<dl><dt>Паром</dt><dd>судна</dd><dt>Мост</dt><dd>збудаванне</dd></dl>",
        "Паром судна Мост збудаванне",
        ("<p>Паром</p><p>судна</p>",),
    ),
    Fragment(
        "an item outside a list",
        "<li>першае</li><li>другое</li><p>далей</p>",
        "першае другое далей",
        ("<ul><li>першае</li><li>другое</li></ul>",),
    ),
    Fragment(
        "links with trackers, redirects and to the page itself",
        '<p><a href="https://l.facebook.com/l.php?u=https%3A%2F%2Fnews.example%2Fb%3Ffbclid%3D1">раз'
        '</a> <a href="https://news.example/c?utm_source=x&amp;id=7&amp;utm_medium=y#p">два</a> '
        '<a href="#top">три</a></p>',
        "раз два три",
        ('href="https://news.example/b"', 'href="https://news.example/c?id=7#p"', "</a> три</p>"),
    ),
    Fragment(
        "emphasis around blocks",
        "<b>Важна:<p>паром</p><ul><li>не ходзіць</li></ul></b>",
        "Важна: паром не ходзіць",
        ("<p><strong>Важна:</strong></p><p><strong>паром</strong></p>",),
    ),
    Fragment(
        "preformatted lines",
        "<pre>8:00  першы\n9:00  другі</pre>",
        "8:00 першы 9:00 другі",
        ("<p>8:00 першы<br>9:00 другі</p>",),
    ),
]
