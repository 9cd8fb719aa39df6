"""File names made safe."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.library.names import LONGEST_NAME, numbered, safe_name


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("beach.jpg", "beach.jpg"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("C:\\fakepath\\IMG_1.HEIC", "IMG_1.HEIC"),
        ("/abs/olute.png", "olute.png"),
        ("folder/", "folder"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("///", "unnamed"),
        (". . .", "unnamed"),
        (".hidden", "hidden"),
        ("a\0b.jpg", "ab.jpg"),
        ("line\nbreak\t.jpg", "linebreak.jpg"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("zero\u200bwidth\ufeff.jpg", "zerowidth.jpg"),
        ("lone\ud800surrogate.jpg", "lonesurrogate.jpg"),
        ('what?*<>|":.jpg', "what_______.jpg"),
        ("CON", "_CON"),
        ("nul.jpg", "_nul.jpg"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("console.jpg", "console.jpg"),
        ("  spaces  .jpg", "spaces.jpg"),
        ("dots...", "dots"),
        ("Screenshot 9.41\u202fAM.png", "Screenshot 9.41 AM.png"),
        ("cafe\u0301.jpg", "café.jpg"),
        ("файл.jpg", "файл.jpg"),
        ("写真.jpg", "写真.jpg"),
        ("/etc/passwd", "passwd"),
        ("....//....//etc/passwd", "passwd"),
        ("%2e%2e%2fetc%2fpasswd", "%2e%2e%2fetc%2fpasswd"),  # decoded once too few is a name like any other
        ("..\\/..\\/x.jpg", "x.jpg"),
        ("x/..", "x"),
        (".", "unnamed"),
        ("   ", "unnamed"),
        ("\u3000\u2003.jpg", "jpg"),
        ("-rf.jpg", "_-rf.jpg"),
        ("--help", "_--help"),
        ("\u200e-x.png", "_-x.png"),
        ("a. . .jpg", "a.jpg"),
        ("NUL .txt.jpg", "_NUL .txt.jpg"),
        ("LPT³.png", "_LPT³.png"),
        ("\u202dgpj.\u2066exe\u2069\u061c\u200f.png", "gpj.exe.png"),
        ("\x1b[2J\x07\x7f\x9bbell.jpg", "[2Jbell.jpg"),
        ('a"; filename="evil.exe\r\nSet-Cookie: x=1\r\n\r\n.png', "a_; filename=_evil.exeSet-Cookie_ x=1.png"),
        ("🏖️ 🐕.jpg", "🏖️ 🐕.jpg"),
        ("nai\u0308ve.jpg", "naïve.jpg"),
    ],
)
def test_names(given_name: str, expected: str) -> None:
    assert safe_name(given_name) == expected


def test_long_name_keeps_its_extension_and_whole_characters() -> None:
    name = safe_name("é" * 150 + ".jpeg")
    assert name == "é" * 97 + ".jpeg"
    assert len(name.encode()) <= LONGEST_NAME


@pytest.mark.parametrize("letter", ["x", "é", "写", "🐕"])
def test_a_name_of_300_bytes_is_cut_between_letters(letter: str) -> None:
    cut = safe_name(letter * (300 // len(letter.encode())) + ".heic")
    assert cut == letter * ((LONGEST_NAME - 5) // len(letter.encode())) + ".heic"


def test_long_extension_is_none() -> None:
    assert safe_name("a." + "b" * 300) == ("a." + "b" * 300)[:LONGEST_NAME]


@given(st.text() | st.text(alphabet="./\\ \0:\u202eé\u0301con1AUX\ud800\u226e<\u0338", max_size=300))
@example("CON.\u200b jpg")
@example("<\u0338")
def test_any_text_gives_a_safe_name(text: str) -> None:
    name = safe_name(text)
    assert 0 < len(name.encode()) <= LONGEST_NAME
    assert name not in {".", ".."}
    assert not set(name) & set('/\\\0<>:"|?*')
    assert name == name.strip(" .")
    assert not name.startswith("-")
    assert unicodedata.is_normalized("NFC", name)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs"} for c in name)
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("name", "expected"), [("beach.jpg", "beach-2.jpg"), ("beach", "beach-2"), ("a.tar.gz", "a.tar-2.gz")]
)
def test_numbered(name: str, expected: str) -> None:
    assert numbered(name, 2) == expected
