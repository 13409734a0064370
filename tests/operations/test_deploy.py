"""The files that put the service on machines are well formed and name things that exist."""

from __future__ import annotations

import re

import yaml

from bot.settings import ROOT, Settings

DEPLOY = ROOT / "deploy"


def kubernetes():
    return [part for part in yaml.safe_load_all((DEPLOY / "kubernetes" / "wegwijs.yaml").read_text()) if part]


def pods():
    for part in kubernetes():
        spec = part.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield part["metadata"]["name"], spec["template"]["spec"]


def test_every_pod_keeps_the_rules_of_a_restricted_namespace():
    found = dict(pods())
    assert set(found) == {"web", "worker", "wegwijs-backup"}
    for name, pod in found.items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["automountServiceAccountToken"] is False, name
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= set(container["resources"]["limits"])
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_selectors_find_their_pods():
    for part in kubernetes():
        if part["kind"] == "Deployment":
            wanted = part["spec"]["selector"]["matchLabels"]
            assert wanted.items() <= part["spec"]["template"]["metadata"]["labels"].items()


def test_compose_names_only_what_it_defines():
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    for service in compose["services"].values():
        assert set(service["networks"]) <= set(compose["networks"])
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        named = [v.split(":")[0] for v in service.get("volumes", [])]
        assert set(named) <= set(compose["volumes"])


def test_the_copying_program_of_the_image_is_not_older_than_the_database():
    """pg_dump of Debian 12 is that of PostgreSQL 15; it refuses a newer server, and there would be no copies."""
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    assert re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)[-1].endswith("-bookworm")
    assert compose["services"]["database"]["image"] == "postgres:15-bookworm"


def test_every_setting_in_the_deploy_files_exists():
    known = {f"WEGWIJS_{field}".upper() for field in Settings.model_fields}
    places = [*DEPLOY.rglob("*"), ROOT / "docs" / "operations.md"]
    for path in places:
        if path.is_file():
            for name in re.findall(r"WEGWIJS_[A-Z_]+[A-Z]", path.read_text()):
                assert name in known, f"{path.name}: {name}"


def test_the_proxy_speaks_modern_tls_and_says_so():
    """Twice the same header would be no header: the service itself says that it wants https for good."""
    text = (DEPLOY / "nginx.conf").read_text()
    assert re.findall(r"ssl_protocols (.*);", text) == ["TLSv1.2 TLSv1.3"]
    assert "return 301 https://" in text
    assert "add_header" not in text
    assert re.search(r"location = /metrics \{ deny all; \}", text)
