"""Quantities: `500m` of a core, `128Mi` of memory. Exact, as scheduling has to be: 0.1 + 0.2 cores are 300m.

Grammar, rounding and canonical form follow `k8s.io/apimachinery/pkg/api/resource`.
"""

import functools
import re
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_UP, Context, Decimal

from .errors import ApiError

PATTERN = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_GRAMMAR = re.compile(PATTERN, re.ASCII)
_NUMBER = re.compile(r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$", re.ASCII)
_EXPONENT = re.compile(r"^[eE]([-+]?[0-9]{1,9})$", re.ASCII)

_BINARY = {suffix: Decimal(1024**power) for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL_POWERS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIX_OF_POWER = {power: suffix for suffix, power in _DECIMAL_POWERS.items()}

# Kubernetes keeps nothing finer than a billionth and nothing greater than an int64.
_FINEST = Decimal("1e-9")
_GREATEST = Decimal(2**63 - 1)
_EXACT = Context(prec=80, Emin=-(10**9), Emax=10**9, traps=[])  # what is more than that is endless, and so the greatest

WRONG_FORMAT = f"quantities must match the regular expression '{PATTERN}'"
WRONG_NUMBER = "unable to parse numeric part of quantity"
WRONG_SUFFIX = "unable to parse quantity's suffix"


@dataclass(frozen=True, order=True, slots=True)
class Amount:
    """How much, in whole units, and how it was written: "binary", "decimal" or "exponent". As text it is canonical; a
    sum is written as its first part that is not zero."""

    number: Decimal
    written: str = field(default="decimal", compare=False)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.number + other.number, self.written if self.number else other.written)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.number - other.number, self.written if self.number else other.written)

    def __mul__(self, count: int) -> "Amount":
        return Amount(self.number * count, self.written)

    def __str__(self) -> str:
        if self.written == "binary" and abs(self.number) >= 1024 and self.number == self.number.to_integral_value():
            return _with_binary_suffix(int(self.number))
        return _with_decimal_suffix(self.number, exponent=self.written == "exponent")


def parse_quantity(quantity: str | int | float) -> Decimal:
    """The exact amount, in whole units (cores, bytes). Raises ApiError 400 with Kubernetes' own words."""
    return parse_amount(quantity).number


@functools.lru_cache(maxsize=8192)
def parse_amount(quantity: str | int | float) -> Amount:
    """The exact amount, which remembers how it was written. Raises ApiError 400 with Kubernetes' own words."""
    text = str(quantity)
    split = _GRAMMAR.fullmatch(text)
    if split is None:
        raise ApiError(400, "BadRequest", WRONG_FORMAT)
    number, suffix = split.groups()
    if not _NUMBER.fullmatch(number):
        raise ApiError(400, "BadRequest", WRONG_NUMBER)
    if suffix in _BINARY:
        factor, written = _BINARY[suffix], "binary"
    elif suffix in _DECIMAL_POWERS:
        factor, written = Decimal(1).scaleb(_DECIMAL_POWERS[suffix]), "decimal"
    elif exponent := _EXPONENT.fullmatch(suffix):
        factor, written = Decimal(1).scaleb(int(exponent[1]), _EXACT), "exponent"
    else:
        raise ApiError(400, "BadRequest", WRONG_SUFFIX)
    amount = _EXACT.multiply(Decimal(number), factor)
    amount = max(-_GREATEST, min(_GREATEST, amount))
    return Amount(amount.quantize(_FINEST, ROUND_UP, _EXACT), written)


@functools.lru_cache(maxsize=8192)
def milli_value(quantity: str | int | float) -> int:
    """Thousandths of a unit, rounded up: what CPU is counted in."""
    return int((parse_quantity(quantity) * 1000).to_integral_value(ROUND_CEILING))


@functools.lru_cache(maxsize=8192)
def value(quantity: str | int | float) -> int:
    """Whole units, rounded up: what memory, pods and everything else but CPU is counted in."""
    return int(parse_quantity(quantity).to_integral_value(ROUND_CEILING))


# The same by what is asked for, where a reader should see the unit.
cpu_millis = milli_value
memory_bytes = value


@functools.lru_cache(maxsize=8192)
def canonical(quantity: str | int | float) -> str:
    """As the API server stores it: no fraction, the greatest suffix. `0.5` → `500m`, `1024Mi` → `1Gi`, `2000m` → `2`.

    A binary amount below 1 Ki or with a fraction of a byte is written in decimals, as Kubernetes does.
    """
    return str(parse_amount(quantity))


def _with_binary_suffix(whole: int) -> str:
    suffix = ""
    for greater in _BINARY:
        if whole % 1024:
            break
        whole, suffix = whole // 1024, greater
    return f"{whole}{suffix}"


def _with_decimal_suffix(amount: Decimal, exponent: bool) -> str:
    if not amount:
        return "0"
    power, whole = -9, int(amount.scaleb(9, _EXACT))
    while whole % 1000 == 0 and power < 18:
        whole, power = whole // 1000, power + 3
    if exponent:
        return f"{whole}e{power}" if power else str(whole)
    return f"{whole}{_SUFFIX_OF_POWER[power]}"
