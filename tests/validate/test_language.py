"""The language guess: scripts decide where they can, short texts stay open, confidence is a share."""

import pytest

from winnow.validate.language import guess_language

SENTENCES = {
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with reason.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón.",
    "pl": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni rozumem.",
    "ru": "Все люди рождаются свободными и равными в своём достоинстве и правах. Они наделены разумом и совестью.",
    "uk": "Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом і совістю.",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "ja": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "zh": "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "ar": "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق. وقد وهبوا عقلاً وضميراً.",
    "he": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון.",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_enough(language):
    guess, confidence = guess_language(SENTENCES[language])
    assert guess == language
    assert confidence is not None and 0.1 < confidence <= 1


SHORT = {
    "nl": "De rivier steeg in de nacht en het werd koud", "gl": "O río subiu pola noite e inundou",
    "sr": "Река је порасла током ноћи", "uk": "Річка піднялася вночі, і вранці", "be": "Рака паднялася ўначы, і зноў",
    "hr": "Rijeka je narasla preko noći", "af": "Die rivier het gestyg in die nag", "ca": "El riu va créixer a la nit",
    "cy": "Cododd yr afon yn ystod y nos", "eu": "Ibaia gauean igo zen eta goizean",
    "haw": "Ua piʻi ka muliwai i ka pō a i ke kakahiaka", "sw": "Mto ulipanda usiku na asubuhi",
    "sq": "Lumi u rrit gjatë natës dhe në mëngjes", "fa": "رودخانه در شب بالا آمد و صبح روز بعد",
    "mr": "नदीला रात्री पूर आला होता", "lt": "Upė pakilo per naktį, o ryte",
}  # fmt: skip


@pytest.mark.parametrize("language", SHORT)
def test_a_few_words_are_enough_for_most(language):
    assert guess_language(SHORT[language])[0] == language


@pytest.mark.parametrize("text", ["", "42 %", "Berlin", "—\n\n***", "\ud800" * 100, "😀" * 1000])
def test_too_little_to_tell_is_no_guess(text):
    assert guess_language(text) == (None, None)


def test_a_few_foreign_words_change_nothing():
    assert guess_language(SENTENCES["ru"] * 3 + " printf(stdout) GNU Linux")[0] == "ru"


def test_a_long_text_is_read_in_three_places():
    assert guess_language("(c) 2024 ACME\n" * 20 + SENTENCES["de"] * 500)[0] == "de"
