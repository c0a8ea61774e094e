"""Config keys that are meant for the project but are in another namespace. Pure: no Pulumi.

Pulumi passes the keys of all namespaces to a program, so keys in a misspelt namespace, or under
the project's previous name, would be ignored silently.
"""

from collections.abc import Collection, Iterable, Iterator
from importlib import metadata
from pathlib import Path

import yaml

# Namespaces of the engine, and of the AWS provider.
RESERVED = ("aws", "pulumi")
# Providers whose names may resemble a project's by chance. Pulumi's list, which is final:
# https://github.com/pulumi/pulumi/blob/v3.274.1/pkg/registry/preregistry.go
PROVIDERS = frozenset(
    """
    aiven akamai alicloud archive artifactory auth0 auto-deploy aws aws-apigateway aws-iam
    aws-miniflux aws-native awsx azure azure-justrun azure-native azure-native-sdk azuread
    azuredevops civo cloud cloudamqp cloudflare cloudinit cloudngfwaws command confluent
    confluentcloud consul databricks datadog dbtcloud digitalocean dnsimple docker docker-build ec
    eks epsagon equinix-metal external f5bigip fastly gcp github gitlab google-native harness
    hcloud http hubspot hyperv ise junipermist kafka keycloak kong kubernetes
    kubernetes-cert-manager kubernetes-coredns kubernetes-crds kubernetes-ingress-nginx
    kubernetesx libvirt linode local mailgun meraki metabase minio mongodbatlas mysql newrelic
    nomad ns1 null oci okta onelogin openfaas openstack opsgenie package packet pagerduty pascal
    postgresql pulumiservice rabbitmq rancher2 random rke scm sdwan signalfx slack snowflake
    splunk spotinst std str sumologic synced-folder tailscale terraform terraform-module
    terraform-provider terraform-template tls ucloud vault venafi vsphere wavefront xyz yandex
    """.split()  # noqa: SIM905 (words read better than a list)
)
_PACKAGE_PREFIXES = ("pulumi-", "pulumiverse-")


def mistaken(
    project: str, keys: Iterable[str], own: Collection[str], folder: Path
) -> Iterator[tuple[str, str]]:
    """Yield each misplaced key, and its name in the project.

    `own` are the names of the project's keys. A key is meant for the project if it has such a
    name, or if its namespace differs from the project's name by at most two letters (one in
    three). Namespaces of packages that are installed, or declared in the `Pulumi.yaml` of
    `folder`, are skipped.
    """
    for key in keys:
        namespace, _, name = key.partition(":")
        if namespace == project or namespace in RESERVED:
            continue
        close = namespace not in PROVIDERS and (
            _distance(namespace.lower(), project.lower()) <= min(2, len(project) // 3)
        )
        if (name in own or close) and not _is_package(namespace, folder):
            yield key, name


def _is_package(namespace: str, folder: Path) -> bool:
    for prefix in _PACKAGE_PREFIXES:
        try:
            metadata.distribution(prefix + namespace)
        except metadata.PackageNotFoundError:
            continue
        return True
    return namespace in _declared(folder)


def _declared(folder: Path) -> set[str]:
    """Return the packages and plugins that the project declares."""
    file = folder / "Pulumi.yaml"
    read = yaml.safe_load(file.read_text(encoding="utf-8-sig")) if file.is_file() else {}
    packages, plugins = read.get("packages") or {}, read.get("plugins") or {}
    return {*packages, *(each.get("name") for each in plugins.get("providers") or [])}


def _distance(one: str, other: str) -> int:
    """Return the Levenshtein distance: letters to add, remove or change."""
    row = list(range(len(other) + 1))
    for count, letter in enumerate(one, 1):
        above, row = row, [count]
        for index, each in enumerate(other):
            row.append(min(above[index + 1] + 1, row[-1] + 1, above[index] + (letter != each)))
    return row[-1]
