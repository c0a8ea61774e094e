"""An invoice."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Invoice:
    number: int
    total: Decimal

    @classmethod
    def from_lines(cls, number: int, lines: Sequence[Mapping[str, str]]) -> "Invoice":
        prices = [Decimal(line["price"]) * int(line["quantity"]) for line in lines]
        return cls(number, sum(prices, Decimal()))

    def signature(self, key: str) -> str:
        text = f"{self.number} {self.total}"
        return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
