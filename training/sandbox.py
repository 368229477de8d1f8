"""Runs proposed code against hidden calls, in a child process with nothing to reach.

The child is `python3 -I -S` with an empty environment, an empty working folder and resource limits. That stops accidents and
simple mischief of a toy model's programs; it is no sandbox against an attacker.
"""

import ast
import json
import subprocess
import sys
import tempfile

SECONDS = 4
CHILD = r"""
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
work = json.load(sys.stdin)
space, results = {}, []
try:
    exec(work["code"], space)
except BaseException as error:
    results = [{"raises": type(error).__name__}] * len(work["calls"])
else:
    for call in work["calls"]:
        try:
            results.append({"returns": repr(eval(call, space))})
        except BaseException as error:
            results.append({"raises": type(error).__name__})
json.dump(results, sys.stdout)
"""


def results(code: str, calls: list[str]) -> list[dict[str, str]] | None:
    """One {"returns": repr} or {"raises": name} a call; None where the child did not answer (time, memory, a crash)."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            child = subprocess.run(
                [sys.executable, "-I", "-S", "-c", CHILD],
                input=json.dumps({"code": code, "calls": calls}),
                capture_output=True,
                text=True,
                env={},
                cwd=folder,
                timeout=SECONDS,
            )
            return json.loads(child.stdout)
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            return None


def agrees(result: dict[str, str], expected: dict[str, str]) -> bool:
    if "raises" in expected or "raises" in result:
        return result.get("raises") == expected.get("raises")
    try:
        return ast.literal_eval(result["returns"]) == ast.literal_eval(expected["returns"])
    except (ValueError, SyntaxError):
        return False


def passes(code: str, expected: list[dict[str, str]]) -> bool:
    """Whether the code gives every hidden call's result."""
    got = results(code, [call["call"] for call in expected])
    return got is not None and len(got) == len(expected) and all(map(agrees, got, expected))


def parses(code: str) -> bool:
    try:
        compile(code, "proposal", "exec")
    except (SyntaxError, ValueError):
        return False
    return True
