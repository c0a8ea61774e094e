"""A Pulumi project on disk: its program, and a stack's config as the CLI would pass it.

https://www.pulumi.com/docs/iac/concepts/projects/project-file/
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local.config import config_types, go_scalars, go_yaml

# https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
_FILE_KEYS = ("config", "encryptedkey", "encryptionsalt", "secretsprovider")


class ProjectError(Exception):
    """The project's files have errors; each argument says what is wrong and what to do."""

    def __str__(self) -> str:
        """Return a line for each error."""
        return "\n".join(self.args)


@dataclass(frozen=True)
class Stack:
    """The program of a stack, and the config that it runs with."""

    program: Path
    """Path of `__main__.py`."""
    project: str
    name: str
    config: Mapping[str, str]
    """Full key -> text."""
    secret_keys: tuple[str, ...]
    """Full keys that hold something encrypted."""
    placeholders: tuple[str, ...]
    """Paths of encrypted values, which are replaced by generated placeholders."""

    @property
    def region(self) -> str:
        """`aws:region`; empty if unset."""
        return self.config.get("aws:region", "")

    def section(self, key: str) -> dict[str, Any]:
        """Return a section of the project's config.

        Empty if it is not a map: the program reports that error.
        """
        try:
            read = json.loads(self.config.get(f"{self.project}:{key}", "{}"))
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    def changed(self, **sections: object) -> "Stack":
        """Return the stack with other sections of the project's config."""
        config = {f"{self.project}:{key}": json.dumps(value) for key, value in sections.items()}
        return replace(self, config={**self.config, **config})


def load(root: Path, stack: str, config_file: Path | None = None) -> Stack:
    """Read `Pulumi.yaml` and `Pulumi.<stack>.yaml`, or `config_file` instead.

    Values encrypted by the stack's secrets provider cannot be decrypted here; each is replaced by
    a generated placeholder.

    Raises:
        ProjectError: a file is missing, is invalid YAML, has something else than a map where one
            belongs, or lacks a config value of the declared type; a line for each error.

    """
    project = _read(root / "Pulumi.yaml")
    name = str(project.get("name"))
    path = config_file or root / f"Pulumi.{stack}.yaml"
    if config_file and not path.is_file():
        raise ProjectError(f"{path} does not exist")
    if not path.is_file():
        if (other := path.with_suffix(".yml")).is_file():
            raise ProjectError(f"{path.name} is missing, but {other.name} exists; rename it")
        found = sorted(each.name.split(".")[1] for each in root.glob("Pulumi.*.yaml"))
        raise ProjectError(
            f"{path.name} is missing; available stacks: {', '.join(found) or 'none'}"
        )
    named, errors = _named(name, "Pulumi.yaml", project.get("config"))
    declared = {key.removeprefix(f"{name}:"): value for key, value in named.items()}
    refused = config_types.declaration_errors(name, declared)
    errors += [f"Pulumi.yaml: {error}" for error in refused]
    file = _read(path)
    errors += _other_keys(path.name, file)
    given, wrong = _named(name, path.name, file.get("config"))
    own = {key.removeprefix(f"{name}:") for key in given}
    missing = config_types.missing_errors(declared, own)
    errors += [*wrong, *(f"{path.name}: {error}" for error in missing)]
    values = _defaults(named) | given
    if _is_encrypted(values.get(f"{name}:secretValues")):
        raise ProjectError(
            f"{path.name}: secretValues is encrypted as a whole, but must be a map; set each"
            " value with `pulumi config set --secret --path 'secretValues[\"NAME\"]'`"
        )

    config, secret_keys, placeholders = {}, [], []
    for key, value in values.items():
        decrypted, encrypted = _decrypted(value, key)
        # To Pulumi, a map with one encrypted value is secret, even if its other values are plain.
        if encrypted and not (key == f"{name}:secretValues" and _holds_plain(value)):
            secret_keys.append(key)
        placeholders += encrypted
        config[key] = _text(decrypted)
        if key in given:  # defaults were checked with their declarations
            refused = config_types.value_errors(declared, key.removeprefix(f"{name}:"), decrypted)
            errors += [f"{path.name}: {error}" for error in refused]
    if errors:
        raise ProjectError(*errors)
    return Stack(
        root / "__main__.py", name, stack, config, tuple(secret_keys), tuple(placeholders)
    )


def placeholder() -> str:
    """Return a placeholder for an unknown secret: the fields of a database, all generated."""
    return json.dumps(
        {
            "host": f"{secrets.token_hex(4)}.placeholder.example",
            "dbname": f"db{secrets.token_hex(4)}",
            "username": f"user{secrets.token_hex(4)}",
            "password": secrets.token_urlsafe(24),
        }
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return _map(go_yaml.load(path.read_bytes()), path.name, "the file")
    except OSError as error:
        raise ProjectError(f"{path.name} cannot be read: {error.strerror}") from error
    except UnicodeError:
        raise ProjectError(f"{path.name} is not UTF-8 text") from None
    except RecursionError:
        raise ProjectError(f"{path.name} is nested too deeply") from None
    except go_yaml.YamlError as error:
        raise ProjectError(f"{path.name}, {error}") from None


def _other_keys(name: str, file: Mapping[str, Any]) -> Iterator[str]:
    """Yield an error for each top-level key of a stack file that the local run does not know."""
    for key in file:
        if key == "environment":
            yield (
                f"{name}: environment takes config from Pulumi Cloud, which the local run does not"
                " read; pass a file with the whole config: --config-file"
            )
        elif key not in _FILE_KEYS:
            yield (
                f"{name}: unknown key {key!r}; allowed keys: {', '.join(_FILE_KEYS)} and"
                " environment. If a newer Pulumi wrote it, use a newer version of this project"
            )


def _map(value: object, file: str, what: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ProjectError(f"{file}: {what} must be a map of keys to values")
    for key in value:
        if isinstance(key, go_yaml.OtherKey):
            raise ProjectError(f"{file}: a key of {what} is not text; put {key} in quotes")
    return value


def _named(project: str, file: str, config: object) -> tuple[dict[str, Any], list[str]]:
    """Return the values by full key, as in the CLI, and the errors in the keys."""
    named: dict[str, Any] = {}
    written: dict[str, str] = {}
    errors = []
    for key, value in _map(config, file, "config").items():
        namespace, *names = key.split(":") if ":" in key else (project, key)
        if names[:-1] not in ([], ["config"]):
            errors.append(f"{file}: the key {key} has too many colons; write NAMESPACE:KEY")
            continue
        full = f"{namespace}:{names[-1]}"
        if full in written:
            both = f"{written[full]} and {key} are the same key"
            errors.append(f"{file}: {both}, and Pulumi may use either value; keep one")
        named[full], written[full] = value, key
    return named, errors


def _defaults(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that the project sets for every stack."""
    defaults = {}
    for key, declaration in declared.items():
        if not isinstance(declaration, dict):
            defaults[key] = declaration
        elif "default" in declaration:
            defaults[key] = declaration["default"]
        elif "value" in declaration:
            defaults[key] = declaration["value"]
    return defaults


def _decrypted(value: object, path: str) -> tuple[object, list[str]]:
    """Replace each `secure: …` by a placeholder; return the value and the paths."""
    if isinstance(value, dict):
        if _is_encrypted(value):
            return placeholder(), [path]
        inner = {key: _decrypted(each, f"{path}.{key}") for key, each in value.items()}
        return (
            {key: each for key, (each, _) in inner.items()},
            [found for _, paths in inner.values() for found in paths],
        )
    if isinstance(value, list):
        items = [_decrypted(each, f"{path}[{index}]") for index, each in enumerate(value)]
        return [each for each, _ in items], [found for _, paths in items for found in paths]
    return value, []


def _is_encrypted(value: object) -> bool:
    return (
        isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str)
    )


def _holds_plain(value: object) -> bool:
    if isinstance(value, dict):
        return not _is_encrypted(value) and any(map(_holds_plain, value.values()))
    if isinstance(value, list):
        return any(map(_holds_plain, value))
    return True


def _text(value: object) -> str:
    """Format a value as the CLI passes it to a program."""
    if value is None:
        return ""
    if isinstance(value, float):
        return go_scalars.number(value)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
