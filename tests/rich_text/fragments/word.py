"""What Word puts on the clipboard."""
# ruff: noqa: E501 - HTML as programs write it

from __future__ import annotations

from tests.rich_text.fragments.fragment import Fragment


def _word_note(number: int, text: str) -> str:
    return (
        f"<div style='mso-element:footnote' id=ftn{number}><p class=MsoFootnoteText>"
        f'<a style=\'mso-footnote-id:ftn{number}\' href="#_ftnref{number}" name="_ftn{number}" '
        "title=\"\"><span class=MsoFootnoteReference><span style='mso-special-character:footnote'>"
        f"<![if !supportFootnotes]>[{number}]<![endif]></span></span></a> {text}<o:p></o:p></p></div>"
    )


def _word_reference(number: int) -> str:
    return (
        f'<a style=\'mso-footnote-id:ftn{number}\' href="#_ftn{number}" name="_ftnref{number}" '
        "title=\"\"><span class=MsoFootnoteReference><span style='mso-special-character:footnote'>"
        f"<![if !supportFootnotes]><span class=MsoFootnoteReference>[{number}]</span><![endif]>"
        "</span></span></a>"
    )


def _word_item(level: int, marker: str, text: str) -> str:
    return (
        "<p class=MsoListParagraphCxSpMiddle style='margin-left:36.0pt;text-indent:-18.0pt;"
        f"mso-list:l0 level{level} lfo1'><![if !supportLists]><span style='mso-list:Ignore'>"
        f"{marker}<span style='font:7.0pt \"Times New Roman\"'>&nbsp;&nbsp;&nbsp; </span></span>"
        f"<![endif]>{text}<o:p></o:p></p>\n"
    )


def _word(body: str) -> str:
    return (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office" '
        'xmlns:w="urn:schemas-microsoft-com:office:word"><head>'
        '<meta name=Generator content="Microsoft Word 15"><!--[if gte mso 9]><xml><w:WordDocument>'
        "<w:View>Normal</w:View></w:WordDocument></xml><![endif]-->"
        "<style><!-- p.MsoNormal {margin:0cm} --></style></head>"
        f"<body lang=RU><!--StartFragment-->{body}<!--EndFragment--></body></html>"
    )


WORD = [
    Fragment(
        "paragraphs, wrapped in the source",
        _word(
            "<p class=MsoNormal><span lang=BE style='font-size:12.0pt'>Паром праз раку\n"
            "зноў ходзіць,<o:p></o:p></span></p>\n\n<p class=MsoNormal><span lang=BE>кажуць"
            " у порце.<o:p></o:p></span></p>"
        ),
        "Паром праз раку зноў ходзіць, кажуць у порце.",
        ("<p>Паром праз раку зноў ходзіць,</p><p>кажуць у порце.</p>",),
    ),
    Fragment(
        "a footnote",
        _word(
            f"<p class=MsoNormal>Мост зачынены{_word_reference(1)} да лета.<o:p></o:p></p>"
            "<div style='mso-element:footnote-list'><![if !supportFootnotes]><br clear=all>"
            '<hr align=left size=1 width="33%"><![endif]>'
            + _word_note(1, "Паводле дарожнай службы.")
            + "</div>"
        ),
        "Мост зачынены да лета. Паводле дарожнай службы.",
        (
            '<p>Мост зачынены<sup class="note"><a href="#note-1">1</a></sup> да лета.</p>',
            '<ol class="notes"><li id="note-1">Паводле дарожнай службы.</li></ol>',
        ),
    ),
    Fragment(
        "two footnotes, one with emphasis",
        _word(
            f"<p class=MsoNormal>Цена выросла{_word_reference(1)} и упала{_word_reference(2)}.</p>"
            "<div style='mso-element:footnote-list'>"
            + _word_note(1, "В <i>марте</i>.")
            + _word_note(2, "В апреле.")
            + "</div>"
        ),
        "Цена выросла и упала. В марте. В апреле.",
        ('<li id="note-1">В <em>марте</em>.</li><li id="note-2">В апреле.</li>',),
    ),
    Fragment(
        "endnotes with the URL of the file",
        _word(
            '<p class=MsoNormal>Bread is dearer<a href="file:///C:/Users/a/b.htm#_edn1" '
            'name="_ednref1"><span class=MsoEndnoteReference>[i]</span></a>.</p>'
            "<div style='mso-element:endnote-list'><hr><div style='mso-element:endnote' id=edn1>"
            '<p class=MsoEndnoteText><a href="file:///C:/Users/a/b.htm#_ednref1" name="_edn1">'
            "<span class=MsoEndnoteReference>[i]</span></a> By a tenth.</p></div></div>"
        ),
        "Bread is dearer. By a tenth.",
        ('<li id="note-1">By a tenth.</li>',),
    ),
    Fragment(
        "a bullet list",
        _word(
            _word_item(1, "·", "хлеб") + _word_item(1, "·", "малако") + _word_item(1, "·", "соль")
        ),
        "хлеб малако соль",
        ("<ul><li>хлеб</li><li>малако</li><li>соль</li></ul>",),
    ),
    Fragment(
        "a numbered list that starts at three",
        _word(_word_item(1, "3.", "третий пункт") + _word_item(1, "4.", "четвёртый пункт")),
        "третий пункт четвёртый пункт",
        ('<ol start="3"><li>третий пункт</li><li>четвёртый пункт</li></ol>',),
    ),
    Fragment(
        "nested lists",
        _word(
            _word_item(1, "1.", "рака")
            + _word_item(2, "a)", "паром")
            + _word_item(2, "b)", "мост")
            + _word_item(3, "§", "апора")
            + _word_item(1, "2.", "бераг")
        ),
        "рака паром мост апора бераг",
        (
            '<ol><li>рака<ol type="a"><li>паром</li><li>мост<ul><li>апора</li></ul></li></ol></li>'
            "<li>бераг</li></ol>",
        ),
    ),
    Fragment(
        "headings by style",
        _word(
            "<h1>Год на рацэ<o:p></o:p></h1><h2>Вясна</h2><p class=MsoNormal>Лёд сышоў.</p>"
            "<p class=MsoHeading3>Красавік</p>"
        ),
        "Год на рацэ Вясна Лёд сышоў. Красавік",
        ("<h2>Год на рацэ</h2><h3>Вясна</h3>", "<h4>Красавік</h4>"),
    ),
    Fragment(
        "a run-in heading",
        _word(
            "<p class=MsoNormal><b style='mso-bidi-font-weight:normal'>Транспарт.</b> Паром ходзіць."
            "</p>"
        ),
        "Транспарт. Паром ходзіць.",
        ("<p><strong>Транспарт.</strong> Паром ходзіць.</p>",),
    ),
    Fragment(
        "powers and indices",
        _word(
            "<p class=MsoNormal>10<sup>6</sup> тон CO<sub>2</sub>, у сярэднім 5 м<span "
            "style='vertical-align:super'>3</span></p>"
        ),
        "106 тон CO2, у сярэднім 5 м3",
        ("10<sup>6</sup> тон CO<sub>2</sub>", "м<sup>3</sup>"),
    ),
    Fragment(
        "struck-out text",
        _word("<p class=MsoNormal>было <s>сто</s> двести, <strike>вчера</strike> сегодня</p>"),
        "было сто двести, вчера сегодня",
        ("<s>сто</s>", "<s>вчера</s>"),
    ),
    Fragment(
        "a table with a heading row",
        _word(
            "<table class=MsoTableGrid border=1><thead><tr><td><p class=MsoNormal><b>Горад</b></p>"
            "</td><td><p class=MsoNormal><b>Людзей</b></p></td></tr></thead><tr><td><p class="
            "MsoNormal>Прыстань</p></td><td><p class=MsoNormal>12 000</p></td></tr></table>"
        ),
        "Горад Людзей Прыстань 12 000",
        ('<th scope="col"><strong>Горад</strong></th>', "<td>Прыстань</td><td>12 000</td>"),
    ),
    Fragment(
        "a table with merged cells",
        _word(
            "<table><tr><td colspan=2><p>Вясна</p></td></tr><tr><td rowspan=2><p>лёд</p></td><td><p>"
            "тонкі</p></td></tr><tr><td><p>раставаў</p></td></tr></table>"
        ),
        "Вясна лёд тонкі раставаў",
        ('<td colspan="2">Вясна</td>', '<td rowspan="2">лёд</td>'),
    ),
    Fragment(
        "a quotation",
        _word(
            "<p class=MsoQuote><i>Мы чакалі доўга.</i></p><p class=MsoNormal>Так кажуць усе.</p>"
        ),
        "Мы чакалі доўга. Так кажуць усе.",
        ("<blockquote><p><em>Мы чакалі доўга.</em></p></blockquote>",),
    ),
    Fragment(
        "a no-break space and a soft hyphen",
        _word("<p class=MsoNormal>5&nbsp;км, пара&shy;ход і&#8239;лодка</p>"),
        "5\xa0км, пара\u00adход і\u202fлодка",
    ),
]
