import pytest

from monitorlab.alerting.shortform import has_short_names, renumber, rewrite
from monitorlab.errors import QueryError, RuleError


@pytest.mark.parametrize(
    ("text", "promql"),
    [
        ("value > 100", "m > 100"),
        ("> 100", "m > 100"),
        ("rate_5m > 0.1", "rate(m[5m]) > 0.1"),
        ("increase_1h30m >= 3", "increase(m[1h30m]) >= 3"),
        (
            "irate_1m < 1 or delta_1h > 2 or deriv_5m > 3",
            "irate(m[1m]) < 1 or delta(m[1h]) > 2 or deriv(m[5m]) > 3",
        ),
        ("mean_5m > 1", "avg_over_time(m[5m]) > 1"),
        ("avg_5m > 1", "avg_over_time(m[5m]) > 1"),
        ("min_5m > 1 and max_5m < 9", "min_over_time(m[5m]) > 1 and max_over_time(m[5m]) < 9"),
        ("sum_1d > 1", "sum_over_time(m[1d]) > 1"),
        ("count_1m < 2", "count_over_time(m[1m]) < 2"),
        ("stddev_10m > 1", "stddev_over_time(m[10m]) > 1"),
        ("last_10m > 1", "last_over_time(m[10m]) > 1"),
        ("median_10m > 1", "quantile_over_time(0.5, m[10m]) > 1"),
        ("p50_5m > 1", "quantile_over_time(0.5, m[5m]) > 1"),
        ("p99_5m > 1", "quantile_over_time(0.99, m[5m]) > 1"),
        ("p999_5m > 1", "quantile_over_time(0.999, m[5m]) > 1"),
        ("p5_5m > 1", "quantile_over_time(0.05, m[5m]) > 1"),
        ("p95 >= 3", "quantile_over_time(0.95, m[7m]) >= 3"),
        ("mean > 1", "avg_over_time(m[7m]) > 1"),
        ("anomaly_score > 0.9", 'anomaly_score{metric="m"} > 0.9'),
        ("forecast_1h > 0.9", 'forecast_1h{metric="m"} > 0.9'),
        ("seasonal_residual > 2", 'seasonal_residual{metric="m"} > 2'),
        ("value > threshold", "m > 4.5"),
        ("value > value offset 1h * 2", "m > m offset 1h * 2"),
        ("rate_5m offset 1d > 1", "rate(m[5m] offset 1d) > 1"),
        ("rate(value[3m]) > 1", "rate(m[3m]) > 1"),
        ('value > 1 and up{job="a"} == 1', 'm > 1 and up{job="a"} == 1'),
        ("value{a='b'} > 1", 'value{a="b"} > 1'),  # with matchers it is a metric of that name
        ("absent(value)", "absent(m)"),
    ],
)
def test_short_conditions(text, promql):
    assert rewrite(text, "m", threshold=4.5, window="7m") == promql


def test_selectors_keep_their_matchers():
    assert rewrite("p95_5m > 1 and anomaly_score > 1", 'm{r="/a"}') == (
        'quantile_over_time(0.95, m{r="/a"}[5m]) > 1 and anomaly_score{metric="m", r="/a"} > 1'
    )


def test_quantiles_of_classic_histograms():
    assert rewrite("p95_5m > 1", "h_bucket") == "histogram_quantile(0.95, rate(h_bucket[5m])) > 1"


def test_a_threshold_must_be_there():
    with pytest.raises(QueryError, match="speaks of a threshold") as caught:
        rewrite("value > threshold", "m")
    assert caught.value.position == 8
    with pytest.raises(QueryError, match="threshold"):
        rewrite(">", "m")


def test_columns_need_a_metric_name():
    with pytest.raises(QueryError, match="one metric name"):
        rewrite("anomaly_score > 1", '{job="a"}')


@pytest.mark.parametrize("metric", ["", "a b", "{", "m{a=}", "5"])
def test_wrong_metrics(metric):
    with pytest.raises(RuleError):
        rewrite("value > 1", metric)


def test_too_long_is_refused_at_once():
    with pytest.raises(QueryError, match="characters"):
        rewrite("value > " + "1+" * 20_000 + "1", "m")


def test_short_names_are_recognised():
    assert has_short_names("value > 3")
    assert has_short_names("> 3")
    assert not has_short_names("latency > 3")


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("value > 3", "value > 9"),
        ("> 3", "value > 9"),
        ("3 < value", "9 < value"),
        ("(value > 3) and x", "(value > 9) and x"),
        ("value > -3 unless x > 1", "value > 9 unless x > 1"),
    ],
)
def test_renumber(text, new):
    assert renumber(text, 9.0) == new
