"""The layer by which a function asks for the extension."""

import io
import zipfile

EXTENSION = "extensions/AWSParametersAndSecretsLambdaExtension"
"""The file in the layer, and so below /opt, that asks for the extension."""

_TEXT = "The embedded AWS starts local/extension in the place of this extension.\n"
# The oldest time a zip can hold: equal sources give equal bytes.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def layer_zip() -> bytes:
    """Pack the layer as a zip archive, byte for byte the same every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(EXTENSION, _TIMESTAMP), _TEXT)
    return buffer.getvalue()
