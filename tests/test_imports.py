"""The runtime stays light, and works without the parts for learning."""

import json
import subprocess
import sys
from pathlib import Path

HEAVY = ("torch", "torchvision", "timm", "h5py", "onnx", "sklearn", "mesoscope_train.detectors")


def loaded_after(code: str) -> set[str]:
    program = f"{code}\nimport json, sys\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    return set(json.loads(out.strip().splitlines()[-1]))


def test_import_loads_next_to_nothing() -> None:
    loaded = loaded_after("import mesoscope")
    assert loaded.isdisjoint({*HEAVY, "numpy", "PIL", "pydantic", "openvino", "onnxruntime", "dlib", "av", "typer"})


def test_help_loads_no_engine() -> None:
    loaded = loaded_after(
        "import sys; sys.argv = ['mesoscope', '--help']\n"
        "from mesoscope.cli import main\n"
        "try: main()\nexcept SystemExit: pass"
    )
    assert loaded.isdisjoint({"torch", "h5py", "openvino", "onnxruntime", "dlib", "av", "reportlab"})


def test_a_whole_detect_with_reports_never_loads_torch(portrait: Path, tmp_path: Path) -> None:
    arguments = ["mesoscope", "detect", str(portrait), "--jsonl", "--overlays", str(tmp_path / "overlays")]
    for suffix in ("html", "pdf"):
        arguments += ["--report", str(tmp_path / f"report.{suffix}")]
    loaded = loaded_after(
        f"import sys; sys.argv = {arguments!r}\nfrom mesoscope.cli import main\ntry: main()\nexcept SystemExit: pass"
    )
    assert (tmp_path / "report.pdf").is_file()
    assert loaded.isdisjoint(HEAVY)
    assert "openvino" in loaded


def test_detect_works_where_nothing_for_learning_can_be_imported(portrait: Path) -> None:
    program = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name.partition('.')[0] in {HEAVY[:-1]!r}: raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        f"sys.argv = ['mesoscope', 'detect', {str(portrait)!r}, '--jsonl']\n"
        "from mesoscope.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["error"] is None


def test_a_command_without_its_extra_names_it(tmp_path: Path) -> None:
    weights = tmp_path / "weights.h5"
    weights.write_bytes(b"")
    # the first heavy thing the command imports may be another part of the extra than torch
    program = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.partition('.')[0] in ('torch', 'h5py', 'safetensors'):\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        f"sys.argv = ['mesoscope', 'bundle', 'import', {str(weights)!r}]\n"
        "from mesoscope.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'mesoscope[train]'" in done.stderr
