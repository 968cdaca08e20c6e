"""`mesoscope evaluate`, from the command line to the folder: numbers, honesty, kills, bad input."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pyarrow import parquet
from typer.testing import CliRunner

from mesoscope.bundle import find_bundle
from mesoscope.cli import application
from mesoscope.manifest import ManifestBuilder, Row, read_manifest, write_manifest
from mesoscope_train.evaluation import figures
from mesoscope_train.evaluation.metrics_schema import Absent, Metric, Metrics
from mesoscope_train.evaluation.scores import read_scores
from mesoscope_train.evaluation.scoring import Scorer


@pytest.fixture(scope="module")
def pictures(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve windows of real and twelve of generated portraits, 64 pixels each, and a broken one."""
    root = tmp_path_factory.mktemp("pictures")
    for label, kind in (("real", "photo"), ("fake", "generated")):
        for index in range(12):
            portrait = Image.open(examples / f"portrait-{kind}-{1 + index % 2}.jpg").convert("RGB").resize((256, 192))
            left, top = index % 4 * 64, index // 4 * 64
            portrait.crop((left, top, left + 64, top + 64)).save(root / f"{label}-{index}.png")
    (root / "broken.png").write_bytes((root / "real-0.png").read_bytes()[:200])
    return root


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Pictures 0 to 3 of each label are the training part, 4 to 11 the test part."""
    return [
        Row(
            path=f"{label}-{index}.png",
            label=label,
            group=f"set:{label}:{index // 2}",
            dataset="set",
            split="train" if index < 4 else "test",
        )
        for label in ("real", "fake")
        for index in range(12)
    ]


@pytest.fixture
def written(pictures: Path, tmp_path: Path):
    def write(rows: list[Row], name: str = "m") -> Path:
        builder = ManifestBuilder(pictures)
        for row in rows:
            builder.add(row)
        write_manifest(builder.build("made by hand"), tmp_path / f"{name}.parquet")
        return tmp_path / f"{name}.parquet"

    return write


@pytest.fixture
def without_figures(monkeypatch) -> None:
    """Drawing takes seconds, and is tested where it is done."""
    monkeypatch.setattr(figures, "write_figures", lambda metrics, out_dir: [])


@pytest.fixture
def trained_on(tmp_path: Path):
    """Function from a manifest's digest to a bundle that says that it was trained on it."""

    def make(digest: str) -> Path:
        copy = Path(shutil.copytree(find_bundle("mesoscope-face"), tmp_path / "own" / "mesoscope-face-2"))
        contract = json.loads((copy / "bundle.json").read_text())
        for data in contract["training_data"]:
            data["manifest_sha256"] = digest
        (copy / "bundle.json").write_text(json.dumps(contract))
        return copy

    return make


def invoke(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(application(), ["evaluate", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def evaluate(manifest: Path, out: Path, *more: str | Path, bundle: str | Path = "mesoscope-face"):
    return invoke("-b", bundle, "-m", manifest, "--out", out, "--draws", 100, *more)


def metrics_of(out: Path) -> Metrics:
    return Metrics.from_json((out / "metrics.json").read_text())


def test_a_whole_evaluation(written, rows, home, tmp_path) -> None:
    from sklearn.metrics import accuracy_score, average_precision_score, roc_auc_score

    out = tmp_path / "out"
    code, stdout, stderr = evaluate(written(rows), out, "--tiers", "web")
    assert code == 0, stderr
    lines = [" ".join(line.split()) for line in stdout.splitlines()]
    assert lines[0].startswith("bundle manifest part tier real fake no answer AUC (95%)")
    assert [line.split()[:4] for line in lines[1:]] == [
        ["mesoscope-face-2", "m", "test", tier] for tier in ("clean", "web")
    ]
    for name in ("index.html", "metrics.json", "scores.parquet", "register.jsonl", "cards/mesoscope-face-2.md"):
        assert (out / name).is_file(), name
    for suffix in (".html", ".csv", ".md", ".tex"):
        assert (out / "tables" / f"cross-dataset{suffix}").is_file()
    assert list((out / "figures").glob("*.png"))
    scores = read_scores(out / "scores.parquet").table.to_pylist()
    assert {row["path"] for row in scores} == {row.path for row in rows if row.split == "test"}
    for tier in ("clean", "web"):
        mine = [row for row in scores if row["tier"] == tier]
        fake, logit = [row["label"] == "fake" for row in mine], [row["logit"] for row in mine]
        called = [row["probability"] >= row["threshold"] for row in mine]
        (reading,) = metrics_of(out).find(tier=tier, unit="picture", slice=None)
        assert reading.value("auc") == pytest.approx(roc_auc_score(fake, logit), abs=1e-9)
        assert reading.value("average_precision") == pytest.approx(average_precision_score(fake, logit), abs=1e-9)
        assert reading.value("accuracy") == pytest.approx(accuracy_score(fake, called), abs=1e-9)
        assert f" {reading.value('auc'):.3f} " in stdout
    assert "0 of 16 real" not in stderr and "written:" in stderr
    entry = json.loads((home / "evaluations.jsonl").read_text())
    assert (entry["part"], entry["rows"], entry["again"]) == ("test", 16, False)
    assert (out / "register.jsonl").read_text() == (home / "evaluations.jsonl").read_text()
    assert "| m (`" in (out / "cards" / "mesoscope-face-2.md").read_text()


@pytest.mark.usefixtures("home", "without_figures")
class TestHonesty:
    def test_a_test_part_is_looked_at_once(self, written, rows, tmp_path) -> None:
        manifest, first, second = written(rows), tmp_path / "first", tmp_path / "second"
        assert evaluate(manifest, first)[0] == 0
        with_note = written([replace(row, extra={"note": row.label}) for row in rows], "noted")
        for again in (
            (manifest, first),
            (manifest, second),
            (manifest, second, "--tiers", "web"),
            (manifest, second, "--split", "all"),
            (with_note, second),
        ):
            code, stdout, stderr = evaluate(*again)
            assert (code, stdout) == (2, "")
            assert "already evaluated: mesoscope-face-2 on the test part of" in stderr
        assert not second.exists()
        assert evaluate(manifest, second, "--split", "train")[0] == 0
        code, _, stderr = evaluate(manifest, first, "--again")
        assert code == 0
        metrics = metrics_of(first)
        assert [one.again for one in metrics.manifests] == [True]
        assert ("again", "mesoscope-face-2", "m") in [
            (one.code, one.bundle, one.manifest) for one in metrics.warnings
        ]
        assert "was evaluated with mesoscope-face-2 before" in stderr
        assert "was evaluated with mesoscope-face-2 before" in (first / "index.html").read_text()

    def test_without_a_split_it_can_be_repeated(self, written, rows, tmp_path) -> None:
        manifest = written([replace(row, split=None) for row in rows])
        for out in ("first", "second", "second"):
            assert evaluate(manifest, tmp_path / out)[0] == 0

    def test_its_own_training_part_is_refused(self, written, rows, trained_on, tmp_path) -> None:
        manifest = written(rows)
        bundle = trained_on(read_manifest(manifest).digest())
        out = tmp_path / "out"
        code, stdout, stderr = evaluate(manifest, out, "--split", "all", bundle=bundle)
        assert (code, stdout) == (1, "")
        assert "8 of the 24 rows judged are of its training and validation part" in stderr
        assert not (out / "scores.parquet").exists()
        assert evaluate(manifest, out, "--split", "all", "--allow-leak", "trained-on", bundle=bundle)[0] == 0
        found = [one for one in metrics_of(out).warnings if one.code == "trained-on"]
        assert len(found) == 1 and "--allow-leak trained-on" in found[0].message
        assert "allowed by --allow-leak trained-on" in (out / "index.html").read_text()

    def test_copies_of_what_it_was_trained_on_are_refused(
        self, written, rows, trained_on, tmp_path, monkeypatch
    ) -> None:
        from mesoscope_train.evaluation import honesty

        measure = honesty.measure  # in this process: another one takes seconds to begin
        monkeypatch.setattr(honesty, "measure", lambda *rows, workers, **more: measure(*rows, workers=0, **more))
        training = written(rows, "training")
        bundle = trained_on(read_manifest(training).digest())
        other = [replace(row, split=None, dataset="other", group=f"other:{row.path}") for row in rows]
        arguments = (written(other, "other"), tmp_path / "out", "--training-manifest", training)
        code, _, stderr = evaluate(*arguments, bundle=bundle)
        assert code == 1 and "duplicate: 8 pictures" in stderr
        assert evaluate(*arguments, "--allow-leak", "duplicate", bundle=bundle)[0] == 0
        assert [one.code for one in metrics_of(tmp_path / "out").warnings if one.bundle].count("trained-on") == 1

    def test_a_register_that_cannot_be_written_does_not_end_it(self, written, rows, tmp_path, monkeypatch) -> None:
        from mesoscope_train.evaluation import honesty

        monkeypatch.setattr(honesty, "user_register", lambda: written(rows) / "evaluations.jsonl")
        monkeypatch.setattr(honesty, "read_register", lambda path: [])
        code, _, stderr = evaluate(written(rows), tmp_path / "out")
        assert code == 0 and "register.jsonl only" in stderr


@pytest.mark.usefixtures("home", "without_figures")
class TestKills:
    def test_it_goes_on_where_it_was_killed(self, written, rows, tmp_path, monkeypatch) -> None:
        """Killed twice, judged once: no row is judged again, and the scores are those of a run left alone."""
        judged: list[int] = []
        score = Scorer.score

        def counted(self, part, start, *rest):
            if len(judged) in (1, 3):
                judged.append(-1)
                raise KeyboardInterrupt
            judged.append(start)
            return score(self, part, start, *rest)

        manifest = written(rows)
        monkeypatch.setattr(Scorer, "at_once", property(lambda self: 5))
        monkeypatch.setattr(Scorer, "score", counted)
        for _ in range(2):
            assert evaluate(manifest, tmp_path / "killed")[0] != 0
            assert not (tmp_path / "killed" / "scores.parquet").exists()
        assert evaluate(manifest, tmp_path / "killed")[0] == 0
        assert judged == [0, -1, 5, -1, 10, 15]
        monkeypatch.undo()
        monkeypatch.setattr(figures, "write_figures", lambda metrics, out_dir: [])
        monkeypatch.setenv("MESOSCOPE_HOME", str(tmp_path / "another home"))
        assert evaluate(manifest, tmp_path / "alone")[0] == 0
        killed, alone = (
            read_scores(tmp_path / name / "scores.parquet").table.sort_by("path") for name in ("killed", "alone")
        )
        assert killed.drop_columns(["logit", "probability"]) == alone.drop_columns(["logit", "probability"])
        assert killed["logit"].to_pylist() == pytest.approx(alone["logit"].to_pylist(), abs=1e-4)

    def test_killed_before_its_page_it_judges_nothing_again(self, written, rows, tmp_path, monkeypatch) -> None:
        manifest, out = written(rows), tmp_path / "out"

        def killed(metrics, out_dir):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(figures, "write_figures", killed)
            assert evaluate(manifest, out)[0] != 0
        monkeypatch.setattr(Scorer, "score", lambda *arguments: pytest.fail("judged again"))
        assert evaluate(manifest, out)[0] == 0
        assert metrics_of(out).manifests[0].again is False

    def test_another_request_does_not_mix(self, written, rows, tmp_path) -> None:
        manifest = written([replace(row, split=None) for row in rows])
        assert evaluate(manifest, tmp_path / "out")[0] == 0
        code, _, stderr = evaluate(manifest, tmp_path / "out", "--tiers", "hard")
        assert code == 2 and "holds another evaluation (other tiers)" in stderr


@pytest.mark.usefixtures("home", "without_figures")
class TestBadInput:
    def test_rows_that_fail_are_counted_and_end_with_3(self, written, rows, tmp_path) -> None:
        bad = [
            Row(path=path, label="fake", group=path, dataset="set", split="test")
            for path in ("broken.png", "missing.png")
        ]
        out = tmp_path / "out"
        code, stdout, stderr = evaluate(written([*rows, *bad]), out, "--json")
        assert code == 3
        assert "2 of 18 pictures ended as error" in stderr
        answer = json.loads(stdout)
        assert (answer["failed"], answer["pictures"]) == (2, 18)
        (reading,) = answer["readings"]
        counts = reading["counts"]
        assert (counts["fake"], counts["answered_fake"], counts["error_fake"]) == (10, 8, 2)
        (full,) = metrics_of(out).find(unit="picture", slice=None)
        assert sorted(full.counts.reasons.values()) == [1, 1]
        assert full.metrics["auc"].n == 16

    def test_one_class_of_ten_leaves_the_rest(self, written, rows, tmp_path) -> None:
        out = tmp_path / "out"
        reals = [replace(row, split=None) for row in rows if row.label == "real"][:10]
        code, stdout, _ = evaluate(written(reals), out)
        assert code == 0 and "–" in stdout
        (reading,) = metrics_of(out).find(unit="picture", slice=None)
        assert isinstance(reading.metrics["auc"], Absent)
        assert isinstance(reading.metrics["false_positive_rate"], Metric)
        assert (reading.counts.real, reading.counts.fake) == (10, 0)

    def test_only_failures_are_a_page_too(self, written, tmp_path) -> None:
        row = Row(path="missing.png", label="real", group="g", dataset="set")
        code, stdout, _ = evaluate(written([row]), tmp_path / "out")
        assert code == 3 and (tmp_path / "out" / "index.html").is_file()
        assert stdout.splitlines()[1].split()[3:7] == ["rows", "clean", "1", "0"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--slice", "sex"), "sex"),
            (("--tiers", "webb"), "there are clean, web, hard, messenger"),
            (("--sweeps", "gif"), "there are jpeg, blur, scale, noise"),
            (("--max-fpr", "0.3"), "no threshold for a false-positive budget of 0.3"),
            (("--split", "validation"), "has no validation part"),
            (("--allow-leak", "any"), "there is no such leak"),
            (("--training-manifest", "nowhere.parquet"), "there is no manifest nowhere.parquet"),
            (("--scores", "s.parquet"), "leave --bundle and --manifest out"),
        ],
    )
    def test_wrong_usage_ends_with_2_before_any_work(self, written, rows, tmp_path, arguments, message) -> None:
        code, stdout, stderr = evaluate(written(rows), tmp_path / "out", *arguments)
        assert (code, stdout) == (2, "")
        assert message in stderr
        assert not (tmp_path / "out" / "scores.parquet").exists()

    def test_a_folder_is_needed_and_must_be_writable(self, written, rows, tmp_path) -> None:
        assert invoke("-b", "mesoscope-face", "-m", written(rows))[0] == 2
        (tmp_path / "file").write_text("")
        code, _, stderr = evaluate(written(rows), tmp_path / "file")
        assert code == 2 and "file" in stderr
        assert invoke("--out", tmp_path / "out")[0] == 2

    def test_scores_can_be_measured_again_by_anybody(self, written, rows, tmp_path) -> None:
        """Without bundle, pictures or manifest: scores.parquet alone gives the same numbers."""
        manifest, out = written(rows), tmp_path / "out"
        assert evaluate(manifest, out)[0] == 0
        manifest.unlink()
        moved = Path(shutil.move(out / "scores.parquet", tmp_path / "moved.parquet"))
        code, _, stderr = invoke("--scores", moved, "--out", tmp_path / "anew", "--draws", 100)
        assert code == 0, stderr
        assert metrics_of(tmp_path / "anew") == metrics_of(out)
        assert invoke("--scores", tmp_path / "metrics.json", "--out", tmp_path / "x")[0] == 2


def test_scores_hold_every_column_of_the_manifest(written, rows, home, without_figures, tmp_path) -> None:
    manifest = written([replace(row, split=None, extra={"sex": "f"}, generator="gan") for row in rows])
    other = written([replace(row, split=None, group=f"o{n}", frame=n) for n, row in enumerate(rows[:4])], "other")
    code, _, _ = invoke("-b", "mesoscope-face", "-m", manifest, "-m", other, "--out", tmp_path / "o", "--draws", 100)
    assert code == 0
    table = parquet.read_table(tmp_path / "o" / "scores.parquet")
    by_manifest = {name: [row for row in table.to_pylist() if row["manifest"] == name] for name in ("m", "other")}
    assert {(row["sex"], row["generator"], row["frame"]) for row in by_manifest["m"]} == {("f", "gan", None)}
    assert [(row["sex"], row["frame"]) for row in by_manifest["other"]] == [(None, n) for n in range(4)]
