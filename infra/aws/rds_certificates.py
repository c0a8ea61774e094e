"""Which databases the bundle in `handler/` can verify, as its certificates say.

RDS signs the certificates of its databases with roots of their region. RDS Proxy has certificates
of ACM, whose roots are in the bundle as well.
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
    """Name the regions whose databases have certificates of the bundle."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(BUNDLE)
    found = (_ROOT.search(str(each["subject"])) for each in context.get_ca_certs())
    return frozenset(root[1] for root in found if root)


def region_of(host: str) -> str | None:
    """Return the region of an endpoint of RDS; None for any other host."""
    found = _ENDPOINT.fullmatch(host)
    return (found[1] or found[2]) if found else None
