"""Bytes to text: proven encodings first, nothing lost silently, binary rejected."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.base.errors import ReadError
from winnow.base.records import without_lone_surrogates
from winnow.read.charset import decode
from winnow.read.detectors import by_chardet, by_charset_normalizer

RUSSIAN = "Она сказала, что придёт завтра вечером, если не будет дождя. Он ничего не ответил и вышел из комнаты."
POLISH = "Zażółć gęślą jaźń. Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw."
JAPANESE = "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。"
GERMAN = "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Größe, Straße, schön – „ja“."


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (RUSSIAN, "cp866"), (RUSSIAN, "utf-16"), (RUSSIAN, "utf-16-be"),
        (RUSSIAN, "utf-32"), (POLISH, "iso8859-2"), (POLISH, "cp1250"), (JAPANESE, "shift_jis"), (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"), (GERMAN, "cp1252"), (GERMAN, "utf-8-sig"), (GERMAN, "utf-8"),
    ],
)  # fmt: skip
def test_text_comes_out_as_it_was_written(text, codec):
    assert decode((text + "\n").encode(codec)).text == text + "\n"


AROUND = "This is a small tool that reads files.\n\n{}\n\nIt then writes them to disk again.\n"


@pytest.mark.parametrize("around", ["{}", AROUND])
@pytest.mark.parametrize(
    "text",
    ["It’s fine", "don’t", "I’m here", "you’ll see", "café", "naïve", "Straße", "5 m²", "10 m³", "2¾ cups", "x ± 2",
     "3 × 4", "£5", "20 °C", "“best”", "wait…", "• item", "Acme®", "Beyoncé", "Málaga", "El Niño", "1990–2000",
     "Škoda"],
)  # fmt: skip
def test_one_letter_or_sign_among_english_words_is_of_windows(text, around):
    content = around.format(text).encode("cp1252")
    assert decode(content) == (around.format(text), "cp1252")


@pytest.mark.parametrize(
    ("text", "codec"),
    [("It’s the dog’s bone.", "mac-roman"), ("We don’t know “him”.", "mac-roman"), ("a résumé of Málaga", "mac-roman"),
     ("crème brûlée", "cp850"), ("the señor in Málaga", "cp437"), ("Иванов", "cp1251"), ("Привет", "cp1251"),
     ("Żywiec", "cp1250"), ("Καλημέρα", "cp1253"), ("東京", "shift_jis"), ("서울", "euc_kr"),
     ("Γεια σας", "iso8859-7")],
)  # fmt: skip
def test_words_in_other_charsets_among_english_ones_stay(text, codec):
    content = AROUND.format(text).encode(codec)
    assert decode(content).text == AROUND.format(text)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["Hi", "a\nb\n", "7"])
def test_the_shortest_text_in_utf16_is_told_by_its_zeros(text, codec):
    assert decode(text.encode(codec)) == (text, codec)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("declared", [None, "utf-16"])
@pytest.mark.parametrize(
    "text",
    ["Déjà vu à l’été\n", "Привет, как дела?\n", "Привет", "Καλημέρα σας\n", "שלום לכולם\n", "مرحبا كيف حالك\n",
     "สวัสดีครับ ยินดีต้อนรับ\n", "सभी मनुष्यों को गौरव\n",
     "今天天气很好。\n", "すべての人間は\n", "안녕하세요 여러분\n", "Hi 😀\n"],
)  # fmt: skip
def test_wide_text_without_a_mark_is_told_by_its_characters(text, codec, declared):
    assert decode(text.encode(codec), declared) == (text, codec)


@pytest.mark.parametrize(("text", "codec"), [(GERMAN, "cp1252"), (RUSSIAN, "cp1251"), (RUSSIAN[:60], "koi8-r")])
def test_utf16_that_a_header_says_of_other_bytes_says_nothing(text, codec):
    assert decode(text.encode(codec), "utf-16").text == text


@pytest.mark.parametrize(
    "content", [b"bell\x07 and \x08 back", b"one whole line of it\0 and one more", b"\x02ab\x03cd"]
)
def test_bytes_with_controls_are_not_always_wide(content):
    assert decode(content).text == content.decode().rstrip("\0")


CAPITALS = "ЗАКАЗ ОТПРАВЛЕН. ОЖИДАЙТЕ ДОСТАВКУ ЗАВТРА УТРОМ."


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (CAPITALS, "cp1251"), (CAPITALS, "koi8-r"), (CAPITALS, "cp866"), (CAPITALS, "iso8859-5"),
        (CAPITALS, "mac-cyrillic"), ("ПОРЪЧКАТА Е ИЗПРАТЕНА", "cp1251"), ("Η ΠΑΡΑΓΓΕΛΙΑ ΣΑΣ ΣΤΑΛΘΗΚΕ", "cp1253"),
        ("SİPARİŞİNİZ GÖNDERİLDİ. TEŞEKKÜRLER", "cp1254"), ("COMMANDE ENVOYÉE. MERCI POUR VOTRE FIDÉLITÉ", "cp1252"),
        ("ŽLUŤOUČKÝ KŮŇ PĚL ĎÁBELSKÉ ÓDY", "cp1250"), ("Žluťoučký kůň úpěl ďábelské ódy", "cp852"),
        ("Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis, jiems suteiktas protas ir sąžinė.", "cp1257"),
        ("Visi cilvēki piedzimst brīvi un vienlīdzīgi savā pašcieņā un tiesībās.", "cp775"),
        (RUSSIAN, "mac-cyrillic"), ("naïve café", "cp1252"), ("“Yes,” he said – “at 5 °C”", "cp1252"),
        ("NÃO", "cp1252"), ("测试", "gbk"), ("안녕", "euc_kr"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("detector", [by_chardet, by_charset_normalizer])
def test_letter_pairs_tell_the_charset_in_capitals_and_small_letters(text, codec, detector):
    if detector is by_charset_normalizer and codec in ("gbk", "euc_kr"):
        pytest.skip("it proposes nothing for two characters")
    assert decode(text.encode(codec), detector=detector).text == text


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        (b'<meta charset="gbk"><p>\xbc\xd2\xbe\xd3</p>', '<meta charset="gbk"><p>家居</p>', "gb18030"),
        (
            "„Wüste“ und Öl".encode() + b" \xe2\x80.. Ende",
            "„Wüste“ und Öl \ufffd.. Ende",
            "utf-8 (damaged in 1 places)",
        ),
        ("Добрый ден".encode() + b"\xd1 " + "всем".encode(), "Добрый ден\ufffd всем", "utf-8 (damaged in 1 places)"),
        (
            "Первая строка файла.\n".encode() + "Вторая строка, увы.\n".encode("cp1251"),
            "Первая строка файла.\nВторая строка, увы.\n",
            "utf-8 (with lines in cp1251)",
        ),
        (
            "Première ligne: déjà vu, à côté.\n".encode() + "Deuxième: où l’on va.\n".encode("cp1252"),
            "Première ligne: déjà vu, à côté.\nDeuxième: où l’on va.\n",
            "utf-8 (with cp1252 bytes)",
        ),
        (
            "Türkçe konuşuyoruz.\n".encode("cp1254") + "Geceleri ışık az.".encode(),
            "Türkçe konuşuyoruz.\nGeceleri ışık az.",
            "utf-8 (with lines in cp1254)",
        ),
        (
            "人権と平和。\n".encode() + "世界の人々は平等である。".encode("shift_jis"),
            "人権と平和。\n世界の人々は平等である。",
            "utf-8 (with lines in cp932)",
        ),
        (
            "l’été très chaud, com".encode() + b"\xbalica",
            "l’été très chaud, com\ufffdlica",
            "utf-8 (damaged in 1 places)",
        ),
        (
            "El món, la creença i la li".encode() + b"\xff fin",
            "El món, la creença i la li\ufffd fin",
            "utf-8 (damaged in 1 places)",
        ),
        (
            "concepció comuna i després".encode() + " é".encode()[:-1],
            "concepció comuna i després \ufffd",
            "utf-8 (damaged in 1 places)",
        ),
        # These stay in one charset.
        ("家居\n上海的冬天很冷。\n".encode("gbk"), "家居\n上海的冬天很冷。\n", "gb18030"),
        ("Вторая строка.\nТретья.\n".encode("koi8-r"), "Вторая строка.\nТретья.\n", "koi8-r"),
        ("<meta charset=gbk>Ü: naïve".encode(), "<meta charset=gbk>Ü: naïve", "utf-8"),
    ],
)
def test_broken_and_mixed_files_keep_what_is_sound(content, text, encoding):
    assert decode(content) == (text, encoding)


@pytest.mark.parametrize(
    ("text", "codec"), [("家居上海的冬天很冷\n", "gbk"), ("Привет, мир\n", "koi8-r"), ("昨日の雨で\n", "euc_jp")]
)
def test_repetition_is_no_evidence(text, codec):
    assert decode((text * 2000).encode(codec)).text == text * 2000


def test_a_file_may_change_its_charset_in_the_middle():
    text = "Привет, мир. Привет\n" * 2000
    assert decode(text.encode() + text.encode("cp1251")) == (text * 2, "utf-8 (with lines in cp1251)")


def test_a_declared_charset_decides_where_detection_cannot():
    page = '<html><head><meta charset="iso-8859-7"></head><body>\u03b1\u03b2</body></html>'
    assert decode(page.encode("iso8859-7")).text == page


FRENCH = "Première ligne où l'on va, à côté de la forêt déjà fermée.\nIl était très gêné par le bruit de l'été.\n"
CZECH = "Žluťoučký kůň úpěl ďábelské ódy.\nPříliš tichá noc nad řekou Vltavou.\n"
MOSCOW = "Привет из Москвы, погода хорошая.\nОн ничего не ответил и вышел.\n"

MIXED = {
    "one alphabet, two charsets": (((MOSCOW, "cp1251"), (RUSSIAN + "\n", "koi8-r")), "cp1251 (with lines in koi8-r)"),
    "capitals": ((("ЗАКАЗ ОТПРАВЛЕН В СРОК.\n", "cp1251"), ("ОЖИДАЙТЕ ДОСТАВКУ.\n", "cp866")), "with lines in cp"),
    "DOS and Windows": (((CZECH, "cp1250"), (CZECH, "cp852")), "with lines in cp"),
    "Western, DOS and Windows": (((FRENCH, "cp1252"), (FRENCH * 2, "cp850")), "cp850 (with lines in cp1252)"),
    "Mac and Windows": (((FRENCH, "mac-roman"), (FRENCH * 2, "cp1252")), "cp1252 (with lines in mac-roman)"),
    "every second line": (((MOSCOW, "cp1251"), (CZECH, "cp1250")) * 3, "cp125"),
    "one line of many": (((MOSCOW * 200, "cp1251"), (RUSSIAN + "\n", "koi8-r")), "cp1251 (with lines in koi8-r)"),
    "three": (((MOSCOW, "cp1251"), (CZECH, "cp852"), ("Καλημέρα σας, κύριε. Είμαι εδώ.\n", "cp1253")), " and "),
    "two beside UTF-8": (((POLISH + "\n", "utf-8"), (MOSCOW, "cp1251"), (RUSSIAN, "koi8-r")), "utf-8 (with lines"),
    "ends of lines of a Mac": (
        ((MOSCOW.replace("\n", "\r"), "cp1251"), (CZECH.replace("\n", "\r"), "cp1250")),
        "(with lines in",
    ),
    "lines that begin in ASCII": (((" " * 9000 + MOSCOW, "cp1251"), ("a " * 9000 + RUSSIAN + "\n", "koi8-r")), "(with"),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "encoding"), MIXED.values(), ids=MIXED)
def test_each_line_is_read_in_its_own_charset(parts, encoding):
    found = decode(b"".join(text.encode(codec) for text, codec in parts))
    assert found.text == "".join(text for text, _ in parts).replace("\r", "\n")
    assert encoding in found.encoding


BOX = "┌──────────┬───────┐\n│ Имя      │ Сумма │\n├──────────┼───────┤\n│ Итого    │  45   │\n└──────────┴───────┘\n"
PLAIN = {
    "two languages": (MOSCOW + "Усі люди народжуються вільними і рівними у своїй гідності та правах.\n", "cp1251"),
    "drawn lines": (RUSSIAN + "\n" + BOX + RUSSIAN, "cp866"),
    "signs and quotes": (FRENCH + "Température: 45 °C ± 2\nPrix: £45 © 2004 ®\n“Ça va… – déjà”\n", "cp1252"),
    "a name in every line": ("Müller;45\nØstergård;12\nNuñez;7\nÀlvarez;9\nBjörk;1\n" * 9, "cp1252"),
    "a language of which nothing is known": (
        "Naga nairai nana uiñuana rafuena duide.\nBiena uiño: nana comini jiaie anamo iñellena.\nIe uiño fuemo.\n" * 20,
        "cp1252",
    ),
}


@pytest.mark.parametrize(("text", "codec"), PLAIN.values(), ids=PLAIN)
def test_lines_of_one_charset_are_not_parted(text, codec):
    assert decode(text.encode(codec)) == (text, codec)


def test_line_ends_become_lf():
    assert decode(b"a\r\nb\rc\n").text == "a\nb\nc\n"


def test_windows_bytes_in_utf8_are_decoded_and_named():
    content = ("Ünïcödé everywhere, ß and 日本. " * 5).encode() + b"caf\xe9 \x93quoted\x94 end"
    text, encoding = decode(content)
    assert text.endswith("café “quoted” end") and encoding == "utf-8 (with cp1252 bytes)"


def test_a_cut_last_character_is_said():
    text, encoding = decode("日本語です".encode()[:-1])
    assert text == "日本語で\ufffd" and "cut off" in encoding


@pytest.mark.parametrize("text", ["Ціна", "їхня", "мій"])
def test_letters_that_go_on_no_sequence_are_no_cut_one(text):
    assert decode(text.encode("cp1251")).text == text


def test_surrogates_written_as_utf8_are_joined():
    assert decode(b"smile \xed\xa0\xbd\xed\xb8\x80").text == "smile 😀"


@pytest.mark.parametrize(
    "content",
    [bytes(1000), bytes(100_000), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4, b"%PDF-1.4\n1 0 obj",
     bytes(range(256)) * 64, b"\x7fELF\x02\x01\x01" + bytes(200)],
    ids=["zeros", "more zeros", "png", "pdf", "all bytes", "elf"],
)  # fmt: skip
def test_binary_is_rejected_with_a_remedy(content):
    with pytest.raises(ReadError) as error:
        decode(content)
    assert error.value.kind == "binary" and re.search("text", str(error.value))


def test_a_stray_zero_does_not_make_a_text_binary():
    assert decode(b"some text with a \0 in it, and more text after it").encoding == "utf-8"


@settings(deadline=None)  # the first to be told reads the letter counts
@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_binary(content):
    try:
        text, _ = decode(content)
    except ReadError as error:
        assert error.kind == "binary"
    else:
        text.encode("utf-8")
        assert "\r" not in text


@given(st.text())
def test_lone_surrogates_never_pass(text):
    assert without_lone_surrogates(text) == text
    without_lone_surrogates(text + "\ud800").encode("utf-8")


ASIAN = {
    "gb18030": "今天天气很好，我们去公园散步，看到很多花。", "big5": "人人生而自由，在尊嚴和權利上一律平等。",
    "cp932": JAPANESE, "euc_jp": "昨日の雨で川の水が増えたので、橋はしばらく通れません。",
    "euc_kr": "모든 인간은 태어날 때부터 자유로우며 동등하다.",
}  # fmt: skip


@pytest.mark.parametrize("codec", ASIAN)
@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_a_long_file_is_read_wherever_a_sample_of_it_is_cut(codec, before):
    text = before + (ASIAN[codec] + "\n") * (250_000 // len(ASIAN[codec].encode(codec)))
    assert decode(text.encode(codec)).text == text


@pytest.mark.parametrize("codec", ASIAN)
def test_a_few_broken_bytes_do_not_change_the_charset(codec):
    text = ASIAN[codec] * 3
    found = decode(text.encode(codec)[:-1] + b"\n")
    assert found.text.rstrip("\ufffd.\n") == text[:-1] and codec in found.encoding


@pytest.mark.parametrize("said", ["iso-8859-1", "windows-1251", "koi8-r", "x-user-defined"])
@pytest.mark.parametrize("codec", ASIAN)
def test_a_page_that_names_another_charset_is_read_as_what_it_is(codec, said):
    page = f"<meta charset={said}><p>{ASIAN[codec]}</p>"
    assert decode(page.encode(codec)).text == page


@pytest.mark.parametrize(
    ("said", "codec"),
    [("shift_jis", "gb18030"), ("shift_jis", "big5"), ("shift_jis", "euc_jp"), ("gb2312", "cp932"), ("gb2312", "big5"),
     ("gb2312", "euc_kr"), ("big5", "euc_jp"), ("big5", "euc_kr"), ("euc-kr", "cp932"), ("euc-kr", "euc_jp")],
)  # fmt: skip
def test_a_multi_byte_charset_gives_way_where_another_is_far_likelier(said, codec):
    page = f"<meta charset={said}><p>{ASIAN[codec]}</p>"
    assert decode(page.encode(codec)).text == page
    assert decode(ASIAN[codec].encode(codec), said).text == ASIAN[codec]


DECLARED = {
    "a one-byte charset that fits": ("Příliš žluťoučký", "cp1250", "windows-1250", "cp1250"),
    "Latin-1, which is Windows-1252 on the Web": ("“naïve”", "cp1252", "iso-8859-1", "cp1252"),
    "a multi-byte charset": ("日本", "euc_jp", "EUC-JP", "euc_jp"),
    "the one of old mail": ("Grüße + mehr", "utf-7", "utf-7", "utf-7"),
    "the one of old mail, where it is not so": ("a+b is C++", "utf-8", "utf-7", "utf-8"),
    "an escaped charset": ("日本", "iso2022_jp", "iso-2022-jp", "iso2022_jp"),
    "one that sound UTF-8 overrules": ("naïve", "utf-8", "windows-1251", "utf-8"),
    "one that a mark overrules": ("naïve", "utf-16", "windows-1251", "utf-16"),
    "none that is known": ("naïve words of a café", "cp1252", "x-unknown", "cp1252"),
    "a codec that is no charset": ("naïve words of a café", "cp1252", "hex", "cp1252"),
    "one that does not fit": ("naïve words of a café", "cp1252", "euc-kr", "cp1252"),
}


POLISH_PAGE = '<meta charset="windows-1250">Żółw szedł powoli przez ogród.'
CHINESE = "今天天气很好，我们去公园散步，看到很多花。"
SPEECH = "It’s fine, isn’t it? We’ll see what they’ve got."
BELIED = {
    "a server that says Latin-1 of all": (RUSSIAN, "cp1251", "iso-8859-1", "cp1251"),
    "Greek": ("Η παραγγελία σας στάλθηκε σήμερα το πρωί από την Αθήνα.", "cp1253", "iso-8859-1", "cp1253"),
    "Chinese": (CHINESE, "gbk", "iso-8859-1", "gb18030"),
    "another Cyrillic one": (RUSSIAN, "koi8-r", "windows-1251", "koi8-r"),
    "a page that knows better": (POLISH_PAGE, "cp1250", "iso-8859-1", "cp1250"),
    "quotes of English that are no Chinese": (SPEECH, "cp1252", "gb2312", "cp1252"),
    "in a page": (f"<meta charset=shift_jis>{SPEECH}", "cp1252", None, "cp1252"),
    "one that is right about few letters": ("Łódź, ul. Źródlana", "iso8859-2", "iso-8859-2", "iso8859-2"),
    "one that is right": ("Naga nairai nana uiñuana rafuena", "mac-roman", "macintosh", "mac-roman"),
    "Chinese beside English": ("the word中文is Chinese, 用Python写的", "gbk", "gb2312", "gb18030"),
    "Japanese beside English": ("PCをつかうTシャツとapp", "cp932", "shift_jis", "cp932"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "codec", "declared", "found"), BELIED.values(), ids=BELIED)
def test_a_declared_charset_gives_way_where_letters_speak_against_it(text, codec, declared, found):
    assert decode(text.encode(codec), declared) == (text, found)


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        (b"\xef\xbb\xbf" + GERMAN.encode("cp1252"), GERMAN, "cp1252"),
        (b"\xef\xbb\xbfna\xc3\xafve caf\xe9", "naïve café", "utf-8 (with cp1252 bytes)"),
        (b"\xff\xfe" + GERMAN.encode(), GERMAN, "utf-8"),
        ("\ufeffa\n".encode("utf-16-le") + b"and a line\n", "a\nand a line\n", "utf-16 (with lines in utf-8)"),
        ("\ufeffa\n".encode("utf-16-be") + b"and a line\n", "a\nand a line\n", "utf-16 (with lines in utf-8)"),
        ("\ufeff你好世界".encode("utf-16-le"), "你好世界", "utf-16"),
        (("\ufeff" + JAPANESE * 9).encode("utf-16-le"), JAPANESE * 9, "utf-16"),
        (b"Words of a log.\n" + bytes(500), "Words of a log.\n", "utf-8"),
        (b"Words\0 of a log that goes on.\n", "Words\0 of a log that goes on.\n", "utf-8"),
    ],
)  # fmt: skip
def test_a_mark_is_believed_where_the_bytes_agree(content, text, encoding):
    assert decode(content) == (text, encoding)


@pytest.mark.parametrize(("text", "codec", "declared", "found"), DECLARED.values(), ids=DECLARED)
def test_a_declared_charset_decides_where_its_bytes_fit(text: str, codec: str, declared: str, found: str) -> None:
    assert decode(text.encode(codec), declared) == (text, found)
