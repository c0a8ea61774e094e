"""Regions whose databases the CA bundle in `handler/` can verify.

RDS signs the certificates of databases with a root of their region. RDS Proxy has certificates of
ACM, whose roots are also in the bundle.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
"""

import re
import ssl
from functools import cache

from .. import own_files

BUNDLE = own_files.HANDLER / "rds-ca-bundle.pem"

_ROOT = re.compile(r"Amazon RDS ([a-z0-9-]+) Root CA ")
# In China `rds` comes before the region.
_ENDPOINT = re.compile(
    r".+\.(?:([a-z0-9-]+)\.rds|rds\.([a-z0-9-]+))\.amazonaws\.(?:com|com\.cn|eu)"
)


@cache
def regions() -> frozenset[str]:
    """Return the regions that have a root certificate in the bundle."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(BUNDLE)
    roots = (_ROOT.search(str(each["subject"])) for each in context.get_ca_certs())
    return frozenset(root[1] for root in roots if root)


def region_of(host: str) -> str | None:
    """Return the region of an RDS endpoint; None for any other host."""
    endpoint = _ENDPOINT.fullmatch(host)
    return (endpoint[1] or endpoint[2]) if endpoint else None
