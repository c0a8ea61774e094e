"""Signs an invoice with the key of the billing service. `requests`, and no other library."""

from typing import Any

from billing.invoice import Invoice
from billing.secrets import secret


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    invoice = Invoice.from_lines(event["number"], event["lines"])
    signature = invoice.signature(secret("billing")["key"])
    return {"number": invoice.number, "total": str(invoice.total), "signature": signature}
