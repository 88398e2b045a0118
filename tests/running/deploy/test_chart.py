"""deploy/helm, filled in by Helm itself: what it makes is what Kubernetes takes, and what a server here answers."""

import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tests.conftest import not_to_be_had
from tests.harness import helm
from tests.harness.helm import ChartRefused
from tests.harness.process import given_keys, serving
from tests.harness.servers import NotToBeHad
from vestibule.cli.commands import build
from vestibule.settings.fields import Settings, name_of

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
KUBERNETES = ("1.27", "1.32", "1.37")
WARNING = 2
ISSUER = {"cert-manager.io/cluster-issuer": "letsencrypt"}
INGRESS = {
    "enabled": True,
    "className": "nginx",
    "host": "auth.example.com",
    "tlsSecretName": "tls",
    "annotations": ISSUER,
}
MONITORED = {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}}
FROM_INGRESS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
FROM_PROMETHEUS = {"podSelector": {"matchLabels": {"app": "prometheus"}}}
TO_POSTGRESQL = {"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "ports": [{"port": 5432}]}
GUARDED = {"enabled": True, "from": [FROM_INGRESS], "metricsFrom": [FROM_PROMETHEUS], "egress": [TO_POSTGRESQL]}
ON_NODES: dict[str, Any] = {
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"key": "accounts", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]
            }
        }
    },
}
VALUES: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "everything": {
        "ingress": INGRESS,
        "metrics": MONITORED,
        "trustedProxies": "10.0.0.0/8",
        "settings": {"ORIGIN": "https://app.example.com"},
        "imagePullSecrets": [{"name": "registry"}],
        "podAnnotations": {"team": "accounts"},
        "labels": {"team": "accounts"},
        "annotations": {"example.com/owner": "ada"},
        **ON_NODES,
        "networkPolicy": GUARDED,
    },
    "next to nothing": {"metrics": {"enabled": False}, "podDisruptionBudget": {"enabled": False}, "replicas": 1},
}


@pytest.fixture(scope="module", autouse=True)
def _helm() -> None:
    try:
        helm.templates()
    except NotToBeHad as reason:
        not_to_be_had(reason)


def pod_of(**values: object) -> dict[str, Any]:
    """The template of a pod."""
    template: dict[str, Any] = helm.objects(**values)["Deployment"]["spec"]["template"]
    return template


def containers(**values: object) -> list[dict[str, Any]]:
    """Every container of a pod, those before it starts included."""
    spec = pod_of(**values)["spec"]
    return [*spec["initContainers"], *spec["containers"]]


def chosen(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_helm_lints_it_without_a_warning(values: dict[str, Any]) -> None:
    report = helm.lint(**values)
    assert report["errors"] == []
    assert [found for found in report["messages"] if found["severity"] >= WARNING] == []


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_kubernetes_takes_every_object(values: dict[str, Any], version: str) -> None:
    """Strictly: a member that it does not know is refused. A ServiceMonitor is of an operator, not of Kubernetes."""
    made = helm.objects(**values)
    assert {"Deployment", "ConfigMap", "Service"} <= made.keys()
    for kind in made.keys() - {"ServiceMonitor"}:
        kubernetes_validate.validate(made[kind], version, strict=True)


def test_every_container_says_what_it_needs_and_may_do_no_more() -> None:
    for container in containers():
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, container["name"]
        assert "memory" in container["resources"]["limits"], container["name"]
        held = container["securityContext"]
        assert (held["readOnlyRootFilesystem"], held["allowPrivilegeEscalation"]) == (True, False)
        assert held["capabilities"] == {"drop": ["ALL"]}
        assert container["imagePullPolicy"] == "IfNotPresent"
    spec = pod_of()["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["automountServiceAccountToken"] is False


def test_a_secret_without_a_database_stops_the_pods() -> None:
    """Else each pod would keep accounts in a file of its own, and lose them."""
    for container in containers():
        [database] = [variable for variable in container["env"] if variable["name"] == "DATABASE_URL"]
        assert database["valueFrom"]["secretKeyRef"] == {"name": "vestibule", "key": "DATABASE_URL"}
        assert {"secretRef": {"name": "vestibule"}} in container["envFrom"]
    assert pod_of()["spec"]["initContainers"][0]["args"] == ["migrate"]


def test_what_changes_the_settings_starts_new_pods() -> None:
    def sums(**values: object) -> dict[str, str]:
        found = pod_of(**values)["metadata"]["annotations"]
        return {name: text for name, text in found.items() if name.startswith("checksum/")}

    before = sums()
    assert before.keys() == {"checksum/config", "checksum/secret"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", text) for text in before.values())
    assert sums(settings={"ORIGIN": "https://app.example.com"})["checksum/config"] != before["checksum/config"]
    assert sums(replicas=3) == before, "what is no setting starts none"
    # No cluster is asked here; Helm asks one for the Secret that is named.
    template = (helm.CHART / "templates" / "deployment.yaml").read_text()
    assert 'lookup "v1" "Secret" .Release.Namespace .Values.secretName' in template


def test_a_drain_of_nodes_takes_one_pod_at_a_time() -> None:
    made = helm.objects()
    budget = made["PodDisruptionBudget"]["spec"]
    assert budget["maxUnavailable"] == 1 < made["Deployment"]["spec"]["replicas"]
    assert chosen(budget["selector"]["matchLabels"], pod_of()["metadata"]["labels"])
    assert "PodDisruptionBudget" not in helm.objects(podDisruptionBudget={"enabled": False})


def test_prometheus_is_told_only_where_that_was_asked() -> None:
    assert "ServiceMonitor" not in helm.objects()
    made = helm.objects(metrics=MONITORED)
    monitor = made["ServiceMonitor"]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert chosen(monitor["spec"]["selector"]["matchLabels"], made["Service"]["metadata"]["labels"])
    [endpoint] = monitor["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in made["Service"]["spec"]["ports"]}
    with pytest.raises(ChartRefused, match=r"needs metrics\.enabled"):
        helm.templates(metrics=MONITORED | {"enabled": False})


def test_labels_and_annotations_are_on_every_object() -> None:
    made = helm.objects(**VALUES["everything"])
    for kind, found in made.items():
        assert found["metadata"]["labels"]["team"] == "accounts", kind
        assert found["metadata"]["annotations"]["example.com/owner"] == "ada", kind
    assert made["Ingress"]["metadata"]["annotations"].items() >= ISSUER.items()
    assert pod_of(**VALUES["everything"])["metadata"]["labels"]["team"] == "accounts"
    assert "annotations" not in helm.objects(ingress=INGRESS | {"annotations": {}})["Ingress"]["metadata"]


def test_pods_run_where_they_may() -> None:
    assert ON_NODES.items() <= pod_of(**ON_NODES)["spec"].items()
    assert not ON_NODES.keys() & pod_of()["spec"].keys()


HTTP, METRICS = [{"port": "http"}], [{"port": "metrics"}]
DNS = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
POLICIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "anybody may call": ({}, {"policyTypes": ["Ingress"], "ingress": [{"ports": HTTP}]}),
    "the ingress alone": (
        {"from": [FROM_INGRESS]},
        {"policyTypes": ["Ingress"], "ingress": [{"ports": HTTP, "from": [FROM_INGRESS]}]},
    ),
    "everything": (
        GUARDED,
        {
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": HTTP, "from": [FROM_INGRESS]}, {"ports": METRICS, "from": [FROM_PROMETHEUS]}],
            "egress": [DNS, TO_POSTGRESQL],
        },
    ),
}


@pytest.mark.parametrize(("given", "rules"), POLICIES.values(), ids=POLICIES)
def test_a_network_policy_lets_in_whom_it_names(given: dict[str, Any], rules: dict[str, Any]) -> None:
    made = helm.objects(networkPolicy={**given, "enabled": True})
    policy = made["NetworkPolicy"]["spec"]
    assert chosen(policy.pop("podSelector")["matchLabels"], pod_of()["metadata"]["labels"])
    assert policy == rules
    ports = {port["name"] for port in pod_of()["spec"]["containers"][0]["ports"]}
    assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} <= ports


def test_there_is_no_network_policy_unless_it_was_asked_for() -> None:
    assert "NetworkPolicy" not in helm.objects()
    unmeasured = helm.objects(networkPolicy=GUARDED, metrics={"enabled": False})["NetworkPolicy"]["spec"]
    assert [rule["ports"] for rule in unmeasured["ingress"]] == [HTTP]


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_service_ingress_and_pods_fit_together(values: dict[str, Any]) -> None:
    made, pod = helm.objects(**values), pod_of(**values)
    [container] = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports["http"] == Settings.model_fields["port"].default
    assert {port["targetPort"] for port in made["Service"]["spec"]["ports"]} == set(ports)
    assert chosen(made["Service"]["spec"]["selector"], pod["metadata"]["labels"])
    assert chosen(made["Deployment"]["spec"]["selector"]["matchLabels"], pod["metadata"]["labels"])
    assert set(made["ConfigMap"]["data"]) <= {name_of(field) for field in Settings.model_fields.values()}
    if "Ingress" in made:
        [rule] = made["Ingress"]["spec"]["rules"]
        [path] = rule["http"]["paths"]
        assert path["backend"]["service"] == {"name": made["Service"]["metadata"]["name"], "port": {"name": "http"}}


def test_each_probe_is_answered_as_the_kubelet_asks_it(tmp_path: Path) -> None:
    """By the pod's address, with the headers of the chart; and without them the server refuses that host."""
    [container] = pod_of()["spec"]["containers"]
    image = {"NODE_ENV": "production", "VESTIBULE_HOST": "0.0.0.0"}
    settings = helm.objects(metrics={"enabled": False})["ConfigMap"]["data"] | image | given_keys()
    with serving(tmp_path, **settings) as server, httpx.Client(trust_env=False, timeout=60) as kubelet:
        for probe in PROBES:
            asked = container[probe]["httpGet"]
            headers = {header["name"]: header["value"] for header in asked["httpHeaders"]}
            url = f"http://127.0.0.2:{server.port}{asked['path']}"
            assert kubelet.get(url, headers=headers).status_code == 200, probe
            assert kubelet.get(url, headers={"Host": "10.1.2.3"}).status_code == 421


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"url": ""}, "url: where people reach it"),
        ({"secretName": ""}, "secretName: a Secret with DATABASE_URL"),
        ({"secretname": "vestibule"}, "'secretname' not allowed"),
        ({"settings": {"PORT": 8000}}, "/settings/PORT"),
        ({"replicas": 0}, "minimum"),
        ({"ingress": {"enabled": True}}, r"ingress\.host"),
        ({"labels": {"app.kubernetes.io/name": "auth"}}, "invalid propertyName"),
        ({"networkPolicy": {"enabled": "yes"}}, "/networkPolicy/enabled"),
        ({"metrics": {"prot": 9464}}, "'prot' not allowed"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ChartRefused, match=told):
        helm.templates(**values)


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_the_notes_say_next_steps_that_can_be_typed(values: dict[str, Any]) -> None:
    notes, made = helm.templates(**values)["NOTES.txt"], helm.objects(**values)
    names = {f"{kind.lower()}/{found['metadata']['name']}" for kind, found in made.items()}
    typed = [shlex.split(line) for line in notes.splitlines() if line.strip().startswith("kubectl")]
    assert all(words[1:3] == ["-n", helm.NAMESPACE] for words in typed)
    assert {word for words in typed for word in words if "/" in word} <= names
    inside = [words[words.index("--") + 1 :] for words in typed if "--" in words]
    assert {words[1] for words in inside} == {"doctor", "users", "mail"}
    for program, *words in inside:
        assert program == "vestibule"
        understood(words)


def understood(words: list[str]) -> None:
    """Parse what somebody types after `vestibule`, as it would be parsed; raises what Click raises."""
    command, context = get_command(build()), None
    while isinstance(command, TyperGroup):
        name, *words = words
        command = command.commands[name]
    with command.make_context(command.name, words, parent=context):
        pass
