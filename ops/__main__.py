"""`python -m ops`: the operators' command line."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ops import import_file, leftovers
from ops.stack import Stack, StackError, read

if TYPE_CHECKING:
    from collections.abc import Callable


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return 0, or 1 with the reason on standard error."""
    options = _parser().parse_args(arguments)
    run: Callable[[Stack, argparse.Namespace], int] = options.run
    try:
        return run(read(options.stack), options)
    except (StackError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _import_file(stack: Stack, _options: argparse.Namespace) -> int:
    clients = (boto3.client(name, region_name=stack.region) for name in ("secretsmanager", "kms"))
    try:
        resources = import_file.find(stack, *clients).resources()
    except import_file.NotRestoredError as error:
        first = "First restore what is scheduled for deletion or disabled."
        print(f"{first} Run these, then this command again:", file=sys.stderr)
        for command in error.args:
            print(f"  {command}", file=sys.stderr)
        return 1
    if not resources:
        print(
            "error: AWS has no key or secret of this stack that its state lacks", file=sys.stderr
        )
        return 1
    print(json.dumps({"resources": resources}, indent=2))
    return 0


def _leftovers(stack: Stack, options: argparse.Namespace) -> int:
    found = leftovers.find(stack, boto3.Session())
    for each in found:
        print(each)
        if options.delete and each.delete and _confirmed(f"  {each.verb}? [y/N] "):
            each.delete()
    return 0


def _confirmed(question: str) -> bool:
    return input(question).strip().lower() in ("y", "yes")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops", description="What an operator needs and Pulumi does not have."
    )
    commands = parser.add_subparsers(required=True)
    for name, run, text in (
        (
            *("import-file", _import_file),
            "write the file for `pulumi import` of the key and the secrets that the state lacks",
        ),
        (
            *("leftovers", _leftovers),
            "list what has the stack's tags and is not in its state",
        ),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("-s", "--stack", required=True, help="name of the stack")
        command.set_defaults(run=run)
        if name == "leftovers":
            command.add_argument(
                "--delete",
                action="store_true",
                help="ask for each function, role and unused key whether to delete it",
            )
    return parser


if __name__ == "__main__":
    sys.exit(main())
