"""Which passwords are too weak, in Django's words, whose rules CVAT keeps."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

TOO_SIMILAR: Final = 0.7
"""Share of letters in common with the user's own names from which on a password is too similar (Django's)."""
GUESSED: Final = """
    00000000 0123456789 11111111 111222333 123123123 1234512345 12341234 12345678 123456789 1234567890 12344321
    123qweasd 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qazxsw2 66666666 87654321 88888888 987654321 99999999 a1b2c3d4
    aa123456 abc12345 abcd1234 abcdefgh access14 administrator administrator1 admin123 admin1234 adminadmin
    annotator annotator1 asdfasdf asdfghjk asdfghjkl baseball basketball benjamin blink182 butterfly
    changeme changeme1 charlie1 chocolate christmas computer consumer corvette cowboys1 danielle december
    dragon123 elephant facebook football football1 hello123 hello1234 iloveyou iloveyou1 internet jennifer
    letmein1 letmein123 liverpool login123 lovely12 marlboro master12 mercedes michelle midnight monkey12
    mustang1 november passw0rd password password! password1 password12 password123 password1234 princess
    princess1 qazwsxedc qwer1234 qwerty12 qwerty123 qwerty1234 qwertyui qwertyuiop samantha scorpion secret12
    secret123 september snowball starwars steelers sunshine sunshine1 superman superman1 swordfish test1234
    testtest trustno1 undertaker victoria welcome1 welcome123 whatever xxxxxxxx zaq12wsx zxcvbnm1 zxcvbnma
"""
"""The passwords of eight characters and more that are guessed first; Django's list has twenty thousand."""


def weaknesses(password: str) -> list[str]:
    """Why a password is weak whoever has it; nothing where it is not."""
    said = []
    if password.casefold().strip() in GUESSED.split():
        said.append("This password is too common.")
    if password.isdecimal():
        said.append("This password is entirely numeric.")
    return said


def is_like(password: str, own: str) -> bool:
    """Whether a password is too similar to a name or address of its user, or to a part of it."""
    lowered, parts = password.lower(), [*re.split(r"\W+", own.lower()), own.lower()]
    return any(
        part
        and len(lowered) < 10 * len(part)
        and SequenceMatcher(a=lowered, b=part).quick_ratio() >= TOO_SIMILAR
        for part in parts
    )
