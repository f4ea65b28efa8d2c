#!/usr/bin/env python3
"""Render the kustomizations of docker/kubernetes, and compare every resource with its published schema.

Kubernetes' resources are compared with the strict schemas of the versions below, in which unknown fields are errors.
KEDA's and Prometheus Operator's are compared with the models that cloudcoil makes of their custom resource definitions,
and KServe's with the classes of its Python package. tests/deployment/run installs the packages.
"""

import ast
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import ServiceMonitor
from kubernetes_validate.utils import schema_contents

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docker" / "kubernetes"
# The oldest version with the action `sleep` of preStop, and the newest schema.
VERSIONS = ("1.30.0", "1.34.0", "1.37.0")
CUSTOM = {
    "keda.sh/v1alpha1/ScaledObject": ScaledObject,
    "monitoring.coreos.com/v1/ServiceMonitor": ServiceMonitor,
}
KSERVE = "serving.kserve.io/v1beta1/InferenceService"

Resource = dict[str, Any]


def main() -> int:
    failures: list[str] = []
    passed = 0
    for kustomization in sorted(FOLDER.glob("*/kustomization.yaml")):
        if yaml.safe_load(kustomization.read_text(encoding="utf-8"))["kind"] == "Component":
            continue  # A part of an overlay, which is rendered.
        resources = rendered(kustomization.parent)
        for resource in resources:
            name = f"{kustomization.parent.name}: {resource['kind']} {resource['metadata']['name']}"
            found = [f"{name}: {failure}" for failure in failures_of(resource)]
            failures += found
            passed += not found
            print(name, "has failed" if found else "has passed")
        failures += [f"{kustomization.parent.name}: {failure}" for failure in unselected(resources)]
    failures += unknown_settings()
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures or passed == 0 else 0


def rendered(folder: Path) -> list[Resource]:
    """The resources that a kustomization makes."""
    if shutil.which("kubectl"):
        command = ["kubectl", "kustomize"]
    elif shutil.which("kustomize"):
        command = ["kustomize", "build"]
    else:
        sys.exit("found neither kubectl nor kustomize; install kubectl 1.27 or later")
    text = subprocess.run([*command, str(folder)], stdout=subprocess.PIPE, text=True, check=True).stdout
    return list(yaml.safe_load_all(text))


def failures_of(resource: Resource) -> list[str]:
    """What is wrong with a resource by its schema."""
    kind = f"{resource['apiVersion']}/{resource['kind']}"
    if kind == KSERVE:
        return inference_service_failures(resource)
    if kind in CUSTOM:
        schema = closed(CUSTOM[kind].model_json_schema(by_alias=True))
        validator = jsonschema.Draft202012Validator(schema)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(resource)]
    return [failure for version in VERSIONS for failure in kubernetes_failures(resource, version)]


def kubernetes_failures(resource: Resource, version: str) -> list[str]:
    """What is wrong with one of Kubernetes' own resources."""
    try:
        kubernetes_validate.validate(resource, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"Kubernetes {version}: {error.json_path}: {error.message}"]
    return []


def closed(schema: Any) -> Any:
    """The schema with no other fields than those that it names."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        result.setdefault("additionalProperties", False)
    return result


def inference_service_failures(resource: Resource) -> list[str]:
    """What is wrong with an InferenceService: names and types of KServe's own fields, and the pod in its predictor."""
    failures = field_failures("spec", resource["spec"], "V1beta1InferenceServiceSpec")
    predictor = resource["spec"]["predictor"]
    failures += field_failures("spec.predictor", predictor, "V1beta1PredictorSpec")
    version = VERSIONS[-1]
    newest = schema_contents(f"kubernetes-json-schema/v{version}-local-strict/_definitions.json", version)
    of_pod = newest["$defs"]["io.k8s.api.core.v1.PodSpec"]["properties"]
    spec = {key: value for key, value in predictor.items() if key in of_pod}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "predictor"}, "spec": spec}
    return failures + [failure for version in VERSIONS for failure in kubernetes_failures(pod, version)]


def field_failures(path: str, value: Resource, class_name: str) -> list[str]:
    """Fields that a class of KServe does not have, or that have another simple type there."""
    names, types = (class_table(class_name, table) for table in ("attribute_map", "openapi_types"))
    known = {names[attribute]: kind for attribute, kind in types.items()}
    simple = {"int": int, "str": str, "bool": bool}
    failures = []
    for key, found in value.items():
        if key not in known:
            failures.append(f"{path}.{key}: expected one of {', '.join(sorted(known))}")
        elif known[key] in simple and type(found) is not simple[known[key]]:
            failures.append(f"{path}.{key}: found {found!r}, expected {known[key]}")
    return failures


def class_table(class_name: str, table: str) -> dict[str, str]:
    """A table of a class in KServe's package, read without running its code."""
    for file in metadata.files("kserve") or []:
        if file.match("kserve/models/v1beta1_*.py"):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and node.name == class_name:
                    for statement in node.body:
                        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == table:
                            return dict(ast.literal_eval(statement.value))
    raise LookupError(f"kserve has no {class_name}.{table}")


def unselected(resources: list[Resource]) -> list[str]:
    """Resources that select pods or services by labels which none here has, or a port that none has."""
    kinds = {kind: [found for found in resources if found["kind"] == kind] for kind in ("Deployment", "Service")}
    pods = [deployment["spec"]["template"] for deployment in kinds["Deployment"]]
    failures = []
    for resource in resources:
        spec = resource["spec"]
        selector = spec.get("selector", spec.get("podSelector", {}))
        selector = selector.get("matchLabels", selector)
        targets = kinds["Service"] if resource["kind"] == "ServiceMonitor" else pods
        labels = [target["metadata"]["labels"] for target in targets]
        if selector and not any(selector.items() <= found.items() for found in labels):
            failures.append(f"{resource['kind']} selects {selector}, found {labels}")
        if resource["kind"] == "ScaledObject":
            named = spec["scaleTargetRef"]["name"]
            if named not in [deployment["metadata"]["name"] for deployment in kinds["Deployment"]]:
                failures.append(f"ScaledObject scales {named}, which is not there")
            if any("replicas" in deployment["spec"] for deployment in kinds["Deployment"]):
                failures.append("a Deployment that is scaled sets its replicas")
    return failures


def unknown_settings() -> list[str]:
    """Variables in the manifests and in the Compose files that are no settings of the program."""
    settings = (ROOT / "src" / "cli" / "settings.rs").read_text(encoding="utf-8")
    known = set(re.findall(r'env = "(FACEPLANE_\w+)"', settings))
    files = [*FOLDER.glob("*/*.yaml"), *FOLDER.parent.glob("*.yaml")]
    failures = []
    for file in files:
        text = re.sub(r"#.*", "", file.read_text(encoding="utf-8"))
        named = set(re.findall(r"FACEPLANE_\w+", text))
        failures += [f"{file.name}: {name} is no setting" for name in sorted(named - known)]
    return failures


if __name__ == "__main__":
    sys.exit(main())
