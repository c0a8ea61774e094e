"""The layer that adds the extension to a function."""

import io
import zipfile

EXTENSION = "extensions/AWSParametersAndSecretsLambdaExtension"
"""The file in the layer, and so below /opt, that marks the extension."""

_TEXT = "The embedded AWS starts local/extension instead of this extension.\n"
# The earliest time that a zip can hold; it is fixed so that equal sources give equal bytes.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def layer_zip() -> bytes:
    """Return the layer as a zip archive, always with the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(EXTENSION, _TIMESTAMP), _TEXT)
    return buffer.getvalue()
