"""`make pulumi`: builds the Pulumi CLI from its Go modules if it is not installed.

tools/pulumi/go.mod has the version, go.sum the hash of every module. The CLI is stored in a cache
outside the checkout, where `make up` and the tests find it. It has no language hosts.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from local.engines import pulumi_cli

MODULE = pulumi_cli.ROOT / "tools/pulumi"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


def main() -> int:
    """Build the CLI if there is none; return 1, with the reason on stderr, if that fails."""
    try:
        if found := pulumi_cli.find():
            print(f"already installed: {found}")
            return 0
    except pulumi_cli.CliError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    go = shutil.which("go")
    if go is None:
        print(
            "error: building Pulumi needs Go, which is not on the PATH; install Pulumi"
            " (https://www.pulumi.com/docs/install/) or Go (https://go.dev/dl/)",
            file=sys.stderr,
        )
        return 1
    target = pulumi_cli.built()
    print(
        f"building Pulumi from its Go modules into {target} (once, a few minutes) ...", flush=True
    )
    start = time.monotonic()
    if not build(go, target):
        return 1
    print(f"built {pulumi_cli.find()} in {time.monotonic() - start:.0f} s")
    return 0


def build(go: str, target: Path) -> bool:
    """Build in a temporary folder and move the CLI to `target`; return whether it worked."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as folder:
        new = Path(folder, target.name)
        # Without debug symbols and C, the build is faster and smaller.
        flags = f"-s -w -X {VERSION_VARIABLE}=v{pulumi_cli.module_version()}"
        command = [go, "build", "-mod=readonly", "-gcflags=all=-dwarf=false"]
        command += ["-ldflags", flags, "-o", str(new), PACKAGE]
        environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
        built = subprocess.run(command, cwd=MODULE, env=environment, check=False)  # noqa: S603 (Go)
        if built.returncode:
            return False
        new.replace(target)
    return True


if __name__ == "__main__":
    sys.exit(main())
