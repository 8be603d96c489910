"""What Google Docs puts on the clipboard."""
# ruff: noqa: E501 - HTML as programs write it

from __future__ import annotations

from tests.rich_text.fragments.fragment import Fragment


def _docs(body: str) -> str:
    return (
        "<meta charset='utf-8'><meta charset=\"utf-8\">"
        '<b style="font-weight:normal;" id="docs-internal-guid-5b1c">' + body + "</b>"
    )


def _span(text: str, style: str = "") -> str:
    return (
        '<span style="font-size:11pt;font-family:Arial,sans-serif;color:#000000;'
        f'white-space:pre-wrap;{style}">{text}</span>'
    )


_NORMAL = "font-weight:400;font-style:normal;text-decoration:none;vertical-align:baseline;"

DOCS = [
    Fragment(
        "paragraphs with an empty line",
        _docs(
            f'<p dir="ltr">{_span("Першы абзац.", _NORMAL)}</p><br /><p dir="ltr">'
            f"{_span('Другі абзац.', _NORMAL)}</p>"
        ),
        "Першы абзац. Другі абзац.",
        ("<p>Першы абзац.</p><p>Другі абзац.</p>",),
    ),
    Fragment(
        "bold and italic by style",
        _docs(
            f'<p dir="ltr">{_span("Цена ", _NORMAL)}{_span("выросла", "font-weight:700;")}'
            f"{_span(' и ', _NORMAL)}{_span('не упала', 'font-style:italic;')}</p>"
        ),
        "Цена выросла и не упала",
        ("<p>Цена <strong>выросла</strong> и <em>не упала</em></p>",),
    ),
    Fragment(
        "headings",
        _docs(
            f'<h1 dir="ltr" id="h.abc">{_span("The river", "font-weight:400;")}</h1>'
            f'<h2 dir="ltr">{_span("Spring", "font-weight:700;")}</h2>'
            f'<p dir="ltr">{_span("Ice.", _NORMAL)}</p>'
        ),
        "The river Spring Ice.",
        ("<h2>The river</h2><h3>Spring</h3><p>Ice.</p>",),
    ),
    Fragment(
        "a nested list",
        _docs(
            '<ul><li dir="ltr" aria-level="1" style="list-style-type:disc;">'
            f'<p dir="ltr" role="presentation">{_span("рака", _NORMAL)}</p></li><ul>'
            f'<li dir="ltr" aria-level="2"><p dir="ltr">{_span("паром", _NORMAL)}</p></li></ul>'
            f'<li dir="ltr" aria-level="1"><p dir="ltr">{_span("бераг", _NORMAL)}</p></li></ul>'
        ),
        "рака паром бераг",
        ("<ul><li>рака<ul><li>паром</li></ul></li><li>бераг</li></ul>",),
    ),
    Fragment(
        "a numbered list that continues",
        _docs(
            f'<ol start="4"><li dir="ltr"><p dir="ltr">{_span("чатыры", _NORMAL)}</p></li>'
            f'<li dir="ltr"><p dir="ltr">{_span("пяць", _NORMAL)}</p></li></ol>'
        ),
        "чатыры пяць",
        ('<ol start="4"><li>чатыры</li><li>пяць</li></ol>',),
    ),
    Fragment(
        "footnotes",
        _docs(
            f'<p dir="ltr">{_span("Лёд сышоў", _NORMAL)}<sup><a href="#ftnt1" id="ftnt_ref1">[1]</a>'
            f'</sup>{_span(" рана", _NORMAL)}<sup><a href="#ftnt2" id="ftnt_ref2">[2]</a></sup></p>'
            '<hr><div><p><a href="#ftnt_ref1" id="ftnt1">[1]</a>'
            f'{_span("&nbsp;У сакавіку.", _NORMAL)}</p></div><div><p><a href="#ftnt_ref2" '
            f'id="ftnt2">[2]</a>{_span("&nbsp;На тыдзень.", _NORMAL)}</p></div>'
        ),
        "Лёд сышоў рана У сакавіку. На тыдзень.",
        ('id="note-2"', '<sup class="note"><a href="#note-1">1</a></sup> рана'),
    ),
    Fragment(
        "superscript and subscript by style",
        _docs(
            f'<p dir="ltr">{_span("10", _NORMAL)}{_span("6", "vertical-align:super;")}'
            f"{_span(' и H', _NORMAL)}{_span('2', 'vertical-align:sub;')}{_span('O', _NORMAL)}</p>"
        ),
        "106 и H2O",
        ("10<sup>6</sup> и H<sub>2</sub>O",),
    ),
    Fragment(
        "struck-out text by style",
        _docs(
            f'<p dir="ltr">{_span("раней", "text-decoration:line-through;")} {_span("цяпер")}</p>'
        ),
        "раней цяпер",
        ("<s>раней</s> цяпер",),
    ),
    Fragment(
        "a table",
        _docs(
            '<div dir="ltr" align="left"><table><colgroup><col width="300" /><col width="300" />'
            '</colgroup><tbody><tr style="height:0pt"><td><p dir="ltr">'
            f'{_span("City")}</p></td><td><p dir="ltr">{_span("Boats")}</p></td></tr><tr><td>'
            f'<p dir="ltr">{_span("Quay")}</p></td><td><p dir="ltr">{_span("three")}</p></td></tr>'
            "</tbody></table></div>"
        ),
        "City Boats Quay three",
        ("<tr><td>City</td><td>Boats</td></tr>",),
    ),
    Fragment(
        "a link",
        _docs(
            f'<p dir="ltr">{_span("Гл. ")}<a href="https://www.google.com/url?q='
            'https://news.example/a%3Fid%3D5&amp;sa=D&amp;ust=1" style="text-decoration:none;">'
            f"{_span('справаздачу', 'text-decoration:underline;')}</a></p>"
        ),
        "Гл. справаздачу",
        ('<a href="https://news.example/a?id=5">справаздачу</a>',),
    ),
    Fragment(
        "a line break in a paragraph",
        _docs(f'<p dir="ltr">{_span("вуліца Лодак, 1<br>Прыстань")}</p>'),
        "вуліца Лодак, 1 Прыстань",
        ("<p>вуліца Лодак, 1<br>Прыстань</p>",),
    ),
    Fragment(
        "bold words without a space between the spans",
        _docs(
            f'<p dir="ltr">{_span("пара", "font-weight:700;")}{_span("ход", "font-weight:700;")}</p>'
        ),
        "параход",
        ("<p><strong>параход</strong></p>",),
    ),
    Fragment(
        "a rule between paragraphs",
        _docs(f'<p dir="ltr">{_span("да")}</p><hr /><p dir="ltr">{_span("пасля")}</p>'),
        "да пасля",
        ("<p>да</p><hr><p>пасля</p>",),
    ),
]
