"""The AWS Parameters and Secrets Lambda Extension, for functions in the embedded AWS.

AWS ships its extension as a layer whose program Lambda starts beside the function. The embedded
AWS attaches layers but starts no extensions, so this layer starts itself: Python runs the `.pth`
file of a site directory, and the emulator makes each `python/lib/*/site-packages` of a layer
one before it imports the handler.

It speaks the protocol and reads the variables that AWS documents:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
It does not register with the Lambda Extensions API, and serves Python functions only.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

PACKAGE = "parameters_secrets_extension"
"""What the modules here are called inside the layer."""

# The emulator takes any directory under lib, so the layer fits every Python version.
SITE_PACKAGES = "python/lib/python3/site-packages"

# The oldest time a zip can hold: equal sources give equal bytes.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
_MODULES = ("cache", "launcher", "server", "settings")


def layer_zip() -> bytes:
    """Pack the layer as a zip archive, byte for byte the same for the same sources."""
    here = Path(__file__).parent
    # The extension's process is one of those that `loopback` does not reach from the worker.
    sources = [here.parent / "loopback.py", *(here / f"{module}.py" for module in _MODULES)]
    files = {
        f"{SITE_PACKAGES}/{PACKAGE}.pth": f"import {PACKAGE}.launcher as _; _.start()\n",
        f"{SITE_PACKAGES}/{PACKAGE}/__init__.py": "",
    } | {f"{SITE_PACKAGES}/{PACKAGE}/{path.name}": path.read_text("utf-8") for path in sources}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _TIMESTAMP), text)
    return buffer.getvalue()
