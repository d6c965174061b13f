"""Reports on networks that were trained on tables."""

from __future__ import annotations

import json

import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, r2_score

import chainrule as cr
from chainrule.tables import prepare, read_table
from chainrule.tables.report import print_report, report_of


@pytest.mark.parametrize(
    ("table", "output", "loss", "metric"),
    [
        ("iris", "softmax", "cross_entropy", "accuracy"),
        ("diabetes", "identity", "squared_error", "R²"),
    ],
)
def test_a_report_holds_the_held_out_score_and_a_baseline(
    table: str, output: str, loss: str, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared = prepare(read_table(table), "target")
    net = cr.Network(prepared.x.shape[1], [cr.Dense(prepared.target.outputs, output)], loss)
    run = cr.train(net, prepared.x, prepared.y, epochs=40, optimizer=cr.Adam(learning_rate=0.02), progress=False)
    report = report_of(prepared, run, "model.safetensors")
    assert prepared.held_out is not None
    x, y = prepared.held_out
    assert report["metric"] == metric
    outputs = run.predict(x)
    if metric == "accuracy":
        score = accuracy_score(y, outputs.argmax(axis=1))
        baseline = DummyClassifier().fit(prepared.x, prepared.y).score(x, y)
    else:
        score = r2_score(y, outputs)
        baseline = DummyRegressor().fit(prepared.x, prepared.y).score(x, y)
    assert [report["score"], report["guessing"]] == pytest.approx([score, baseline])
    assert report["score"] > report["guessing"]
    assert report["rows"] == {"trained on": len(prepared.x), "held out": len(x)}
    assert json.loads(json.dumps(report)) == report
    print_report(report, run)
    assert f"held-out {metric} {report['score']:.3f}" in capsys.readouterr().out
