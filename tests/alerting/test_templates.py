import pytest

from monitorlab.alerting import templates
from monitorlab.model import Labels, SeriesKey

KEY = SeriesKey("x", Labels(i="1"))
# Texts and what Go makes of them, for $value = 1234567.8 and the series x{i="1"}.
GO = [
    ("{{ $value }}", "1.2345678e+06"),
    ("{{ .Value | humanize }}", "1.235M"),
    ("{{ humanize 0.00012 }} {{ humanize -1500.0 }} {{ humanize 0 }}", "120u -1.5k 0"),
    ("{{ humanize1024 1048576 }} {{ humanize1024 7 }}", "1Mi 7"),
    ("{{ humanizePercentage 0.1234 }}", "12.34%"),
    ("{{ humanizeDuration 93784.5 }} {{ humanizeDuration 3670 }}", "1d 2h 3m 4s 1h 1m 10s"),
    ("{{ humanizeDuration 59.9 }} {{ humanizeDuration -3.5 }} {{ humanizeDuration 0.0012 }}", "59.9s -3.5s 1.2ms"),
    ("{{ humanizeTimestamp 1.5e9 }}", "2017-07-14 02:40:00 +0000 UTC"),
    ("{{ $labels.i }}{{ $labels.nothere }}|{{ .Labels.i }}", "1|1"),
    ("{{ $labels }}", "map[__name__:x i:1]"),
    ('{{ printf "%.3g|%5.1f|%v|%x|%e" $value $value $value 255 $value }}', "1.23e+06|1234567.8|1.2345678e+06|ff|1.234568e+06"),
    ('{{ printf "%q" "a" }}', '"a"'),
    ('{{ printf "%f" 3 }} {{ printf "%d" 3.5 }} {{ printf "%s" 3 }}', "%!f(int=3) %!d(float64=3.5) %!s(int=3)"),
    ('{{ printf "%d" }} {{ printf "a" 1 }} {{ printf "%5d|%-5s|" 3 "b" }}', "%!d(MISSING) a%!(EXTRA int=1)     3|b    |"),
    ("{{ if gt $value 10.0 }}big{{ else }}small{{ end }}", "big"),
    ('{{ if eq $labels.i "2" }}a{{ else if eq $labels.i "1" }}b{{ else }}c{{ end }}', "b"),
    ('{{ $value | printf "%.0f" }}', "1234568"),
    ('a {{- " x " -}} y', "a x y"),
    ("{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "__name__=x;i=1;"),
    ("{{ range $labels }}{{ . }},{{ end }}", "x,1,"),
    ("{{ with $labels.i }}[{{ . }}]{{ end }}{{ with $labels.no }}x{{ else }}y{{ end }}", "[1]y"),
    ('{{ title "ab cd" }} {{ toUpper "ab" }} {{ toLower "AB" }}', "Ab Cd AB ab"),
    ('{{ reReplaceAll "a(.)" "x$1" "abab" }} {{ match "b+" "abba" }}', "xbxb true"),
    ("{{ $x := 5 }}{{ $x }}{{/* a note */}}", "5"),
    ('{{ and true "yes" }} {{ or "" "no" }} {{ not true }} {{ len "abc" }}', "yes no false 3"),
    ('{{ (printf "%s-%s" $labels.i "b") | toUpper }}', "1-B"),
    ('{{ parseDuration "1h" }} {{ `raw` }}', "3600 raw"),
    ('{{ index $labels "i" }} {{ 1e10 }} {{ 100.0 }} {{ true }}', "1 1e+10 100 true"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), GO)
def test_go_templates(text, wanted):
    assert templates.expand(text, KEY, 1234567.8) == wanted
    assert templates.check(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "{{ nope }}", "{{ $nope }}", "{{ if }}x{{ end }}", "{{ if true }}", "{{ end }}", "{{ else }}",
        "{{ }}", "{{ $value", "{{ gt $value 10 }}", "{{ humanize }}", '{{ humanize "x" }}',
        "{{ range 3 }}{{ end }}", '{{ index $labels.i "a" }}', '{{ template "x" }}', "{{ 'a' }}",
        '{{ reReplaceAll "(" "" "a" }}', "{{ $labels.i.j }}", "{{ ( 1 }}", "{{ 1 | 2 }}", "{{ 1 2 }}",
        '{{ printf "%99999999d" 1 }}', "{{ humanizeTimestamp 1e300 }}", '{{ match "(" "a" }}',
        "{{ .Value.x }}", '{{ parseDuration "soon" }}', "{{ if true }}" * 60 + "{{ end }}" * 60,
    ],
)  # fmt: skip
def test_errors_become_text(text):
    assert templates.expand(text, KEY, 7.0).startswith("<error expanding template: ")


def test_nothing_of_python_can_be_reached():
    for text in (
        "{{ $labels.__class__ }}", "{{ .__init__ }}", '{{ index $labels "__class__" }}',
        "{{ $value.__class__ }}", "{{ __import__ }}",
    ):  # fmt: skip
        got = templates.expand(text, KEY, 7.0)
        assert got in ("", "<no value>") or got.startswith("<error expanding template: ")


def test_work_is_bounded():
    labels = SeriesKey("x", Labels({f"l{i}": "v" for i in range(60)}))
    nested = "{{ range $labels }}" * 4 + "x" + "{{ end }}" * 4
    text = nested.replace("$labels", "$labels")
    assert "does too much" in templates.expand(text, labels, 1.0)
    assert "characters" in templates.expand("{{ 1 }}" + "x" * 30_000, KEY, 1.0)


def test_externals():
    text = "{{ $externalLabels.dc }} {{ $externalURL }} {{ .ExternalLabels.dc }}"
    assert templates.expand(text, KEY, 1.0, Labels(dc="eu"), "http://x") == "eu http://x eu"


def test_uses_value():
    assert templates.uses_value('{{ printf "%f" . }}')
    assert templates.uses_value("{{ $value }}")
    assert not templates.uses_value("{{ $labels.i }} costs $value")
