"""`mesoscope detect` as a user runs it: a process, its output, its exit code."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mesoscope.types import FileResult


def run(*arguments: str | Path, stdin: bytes | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "mesoscope", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env={**os.environ, "NO_COLOR": "1", **env},
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_table_for_people(portrait: Path, clip: Path) -> None:
    done = run("detect", portrait, clip)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["outcome", "p(fake)", "decided", "by", "file"]
    assert str(portrait) in lines[1]
    assert "track 1:" in done.stdout
    assert lines[-1].startswith("2 files: ")
    assert "What mesoscope-face-2 can and cannot say:" in done.stderr
    assert "warning" not in done.stderr


def test_json_is_an_array_of_results(portrait: Path, examples: Path) -> None:
    done = run("detect", portrait, examples / "no-face-rotated.jpg", "--json")
    assert done.returncode == 3
    answers = [FileResult.model_validate(item) for item in json.loads(done.stdout)]
    assert [answer.outcome.value for answer in answers][1] == "not_applicable"
    assert json.loads(done.stdout)[1]["probability"] is None


def test_json_of_nothing_but_errors_is_still_json(tmp_path: Path) -> None:
    done = run("detect", tmp_path / "missing.jpg", "--json")
    assert done.returncode == 3
    (answer,) = json.loads(done.stdout)
    assert answer["outcome"] == "error"


def test_json_lines_and_csv_say_the_same(portrait: Path, clip: Path) -> None:
    lines = run("detect", portrait, clip, "--jsonl").stdout.splitlines()
    rows = list(csv.DictReader(io.StringIO(run("detect", portrait, clip, "--csv").stdout)))
    for line, row in zip(lines, rows, strict=True):
        answer = json.loads(line)
        assert row["path"] == answer["path"]
        assert row["outcome"] == answer["outcome"]
        assert float(row["probability"]) == answer["probability"]
        assert int(row["faces"]) == len(answer["faces"])
        assert int(row["tracks"]) == len(answer["tracks"])


def test_standard_input(portrait: Path) -> None:
    done = run("detect", "-", "--jsonl", stdin=portrait.read_bytes())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["path"] == "-"


def test_reports_and_overlays_are_written(portrait: Path, clip: Path, tmp_path: Path) -> None:
    done = run(
        *("detect", portrait, clip, "--frames", "4"),
        *("--report", tmp_path / "r.html", "--report", tmp_path / "r.pdf", "--overlays", tmp_path / "o"),
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "r.html").read_text()
    assert json.loads(run("detect", portrait, "--json").stdout)[0]["sha256"] in page
    assert "mesoscope detect" in page
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(path.suffix for path in (tmp_path / "o").iterdir()) == [".mp4", ".png"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--json", "--csv"), "choose one"),
        (("--frames", "4", "--fps", "1"), "not both"),
        (("--faces", "nose"), "unknown face finder 'nose'; known: dlib, yunet"),
        (("--engine", "abacus"), "unknown engine"),
        (("--bundle", "nonsense"), "no bundle 'nonsense'"),
        (("--max-fpr", "0.3"), "it states"),
        (("--report", "report.docx"), ".html or .pdf"),
        (("--fps", "0"), "fps a number above 0"),
        (("--fps", "nan"), "fps a number above 0"),
        (("--faces", "none", "--face-model", "x.onnx"), "no faces are to be looked for"),
        (("--no-such-flag",), "no-such-flag"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_a_sentence(portrait: Path, arguments: tuple[str, ...], says: str) -> None:
    done = run("detect", portrait, *arguments)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_nothing_to_do_is_wrong_usage() -> None:
    assert run("detect").returncode == 2


@pytest.mark.parametrize("damage", ["hash", "field", "schema", "pickle"])
def test_a_refused_bundle_is_exit_code_3_and_nothing_is_written(
    bundle_copy: Path, portrait: Path, tmp_path: Path, damage: str
) -> None:
    contract = bundle_copy / "bundle.json"
    data = json.loads(contract.read_text())
    if damage == "hash":
        (bundle_copy / "card.md").write_text("changed")
    elif damage == "pickle":
        (bundle_copy / "model.pkl").write_bytes(b"")
    else:
        data.update(schema_version=99) if damage == "schema" else data.pop("preprocess")
        contract.write_text(json.dumps(data))
    report = tmp_path / "out" / "r.html"
    done = run("detect", portrait, "--bundle", bundle_copy, "--report", report)
    assert done.returncode == 3
    assert "error: bundle" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not report.exists()


def test_hostile_names_do_not_drive_the_terminal(portrait: Path, tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m[bold]b\n.jpg"
    path.write_bytes(portrait.read_bytes())
    done = run("detect", path)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "a\\x1b[31m[bold]b\\x0a.jpg" in done.stdout


def test_unreadable_permissions(portrait: Path, tmp_path: Path) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(portrait.read_bytes())
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    done = run("detect", path, portrait, "--jsonl")
    assert done.returncode == 3
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["outcome"] == "error"
    assert second["error"] is None


def test_a_reader_that_goes_away_is_no_error(examples: Path) -> None:
    program = f"{sys.executable} -m mesoscope detect {examples} --jsonl | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_version() -> None:
    assert run("--version").stdout.startswith("mesoscope 0.")


def test_json_lines_reach_a_file_when_people_watch(portrait: Path, clip: Path, tmp_path: Path) -> None:
    """With a terminal on stderr there is a progress line, and it must not swallow the results."""
    import pty

    ours, theirs = pty.openpty()
    with (tmp_path / "answers.jsonl").open("wb") as out:
        program = [sys.executable, "-m", "mesoscope", "detect", portrait, clip, "--jsonl"]
        process = subprocess.Popen(program, stdout=out, stderr=theirs)
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
    assert process.wait() == 0
    assert len((tmp_path / "answers.jsonl").read_text().splitlines()) == 2
    assert b"files judged" in shown


@pytest.mark.parametrize(("signal_", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_no_file(clip: Path, tmp_path: Path, signal_: signal.Signals, code: int) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(40):
        (many / f"{number}.mp4").write_bytes(clip.read_bytes())
    out = tmp_path / "out"
    program = [sys.executable, "-m", "mesoscope", "detect", many, "--jsonl", "--report", out / "r.html"]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # the first answer is there, the others are not
    process.send_signal(signal_)
    _, said = process.communicate()
    assert process.returncode == code
    assert b"Traceback" not in said
    assert list(out.iterdir()) == []


def test_a_whole_run_touches_no_network_and_starts_no_process(portrait: Path) -> None:
    program = (
        "import sys\n"
        "def watch(event, args):\n"
        "    if event.startswith(('socket.connect', 'socket.getaddrinfo', 'os.fork', 'subprocess', 'os.exec')):\n"
        "        print('FORBIDDEN', event, args, file=sys.stderr)\n"
        "sys.addaudithook(watch)\n"
        f"sys.argv = ['mesoscope', 'detect', {str(portrait)!r}, '--jsonl']\n"
        "from mesoscope.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0
    assert "FORBIDDEN" not in done.stderr


def test_what_a_run_draws_is_not_its_input(portrait: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(portrait.read_bytes())
    for _ in range(2):
        done = run("detect", tmp_path, "--overlays", tmp_path / "overlays", "--jsonl")
        assert len(done.stdout.splitlines()) == 1
    assert len(list((tmp_path / "overlays").iterdir())) == 1
