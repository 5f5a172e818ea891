"""What is typed and what is kept to come into a workshop: codes, nicknames, tokens. Pure, but for chance."""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable

from django.utils.crypto import salted_hmac
from django.utils.http import urlsafe_base64_encode

LETTERS = "BCDFGHJKMNPQRSTVWXZ"  # no vowel, so that no code is a word; no L, which may be an I on a projector
LENGTH = 6  # 19⁶: 47 million
LONGEST_NICKNAME = 24


def new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def read_code(typed: str) -> str:
    """As it was given out, however it was typed: `bcd-fgh` → BCDFGH."""
    return re.sub(r"[\W_]", "", typed).upper()


def read_nickname(typed: str) -> str:
    """Raises ValueError, in words."""
    name = " ".join(unicodedata.normalize("NFKC", typed).split())
    if not any(letter.isalnum() for letter in name):
        raise ValueError("Choose a name that the others can read, of one letter at least.")
    if len(name) > LONGEST_NICKNAME:
        raise ValueError(f"Choose a shorter name: at most {LONGEST_NICKNAME} letters.")
    if not name.isprintable():
        raise ValueError("There is a character in it that cannot be shown.")
    return name


def free_nickname(wanted: str, taken: Iterable[str]) -> str:
    """Who comes second with a name gets a number with it: Ada, Ada 2."""
    names = {name.casefold() for name in taken}
    number, name = 1, wanted
    while name.casefold() in names:
        number += 1
        name = f"{wanted} {number}"
    return name


def new_token() -> str:
    """192 bits: who has it is that learner."""
    return secrets.token_urlsafe(24)


def token_for(browser: str, code: str, nickname: str) -> str:
    """Of one that joins once more, because the answer was lost or the button pressed twice: the same. `browser`: what
    only this one knows."""
    return urlsafe_base64_encode(salted_hmac(__name__, f"{browser} {code} {nickname}", algorithm="sha256").digest())


def digest(token: str) -> str:
    """What is kept of a token: who reads the database cannot come in by it."""
    return hashlib.sha256(token.encode()).hexdigest()
