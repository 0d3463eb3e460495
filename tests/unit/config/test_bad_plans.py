"""A catalogue of what cannot stand in tracking_plan.yml: each with its exact sentence."""

import pytest

from pipelines.config.tracking_plan import load_plan
from pipelines.errors import SeedError

# How the sentence ends → what is written for the key 'gallery', and how the sentence begins.
GALLERY = {
    "is not known: did you mean 'event_names'?": [
        ("event_name: x", "The column 'event_name'"),
    ],
    "is not known: did you mean 'trigger'?": [
        ("triger: click", "The column 'triger'"),
        ("triger: {kind: click}", "The column 'triger'"),
        ("'{0}': 1", "The column '{0}'"),
    ],
    "is not yours to set: leave it out.": [
        ("key: wishlist", "The key"),
    ],
    "is not known: did you mean 'product'?": [
        ("stage: produkt", "The stage 'produkt'"),
    ],
    "is missing: add it.": [
        ("stage: ''", "The stage"),
        ("event_names: []", "The event_names"),
        ("description: ''", "The description"),
    ],
    "is not known: write 'engagement', 'intent', 'progression' or 'outcome'.": [
        ("family: intents", "The family 'intents'"),
    ],
    "cannot be read: write an event name, or several different ones joined by '|'.": [
        ("event_names: ' | '", "The event_names '|'"),
        ("event_names: [a, a]", "The event_names 'a|a'"),
        ("event_names: [a, '']", "The event_names 'a|'"),
        ('event_names: "a\\nb"', "The event_names 'a\\nb'"),
        ('event_names: ["a\\u00a0", b]', "The event_names 'a\\xa0|b'"),
    ],
    "cannot be read: write name=value or name>=whole number, joined by '&'.": [
        ("parameter_filter: image_no>2", "The parameter_filter 'image_no>2'"),
        ("parameter_filter: image_no", "The parameter_filter 'image_no'"),
        ("parameter_filter: n>=٣", "The parameter_filter 'n>=٣'"),
        (
            "parameter_filter: n>=1234567890123456789",
            "The parameter_filter (22 characters, not shown: they may be a secret)",
        ),
        ("parameter_filter: größe=1", "The parameter_filter 'größe=1'"),
    ],
    "has no condition: write one, or leave it out.": [
        ("parameter_filter: '&'", "The parameter_filter '&'"),
    ],
    "cannot be read: write names of event parameters, joined by '|'.": [
        ("parameters: zoom level", "The parameters 'zoom level'"),
        ("parameters: größe", "The parameters 'größe'"),
    ],
    "is not known: did you mean 'product_view'?": [
        ("parent_key: prodct_view", "The parent_key 'prodct_view'"),
    ],
    "is not known: did you mean 'delivery_done'?": [
        ("parent_key: gallery", "The parent_key 'gallery'"),
    ],
    "is not known: did you mean 'sessions'?": [
        ("parent_key: '@previous'", "The parent_key '@previous'"),
    ],
    "cannot be read: write a small whole number such as 3, or leave it out.": [
        ("intent_rank: first", "The intent_rank 'first'"),
        ("intent_rank: 99999999999999999999", "The intent_rank '99999999999999999999'"),
        ("intent_rank: ٣", "The intent_rank '٣'"),
        ("intent_rank: -1", "The intent_rank '-1'"),
        ("intent_rank: 3.5", "The intent_rank '3.5'"),
    ],
    "is not known: write 'true' or 'false'.": [
        ("is_expected: maybe", "The is_expected 'maybe'"),
        ("is_expected: 1", "The is_expected '1'"),
    ],
    "is not known: did you mean 'custom'?": [
        ("origin: customs", "The origin 'customs'"),
    ],
    "is not known: did you mean 'email_capture_rate'?": [
        ("benchmark_key: email_rate", "The benchmark_key 'email_rate'"),
    ],
    "cannot be read: it has a tab or a line break: write it in one line.": [
        ('description: "a\\nb"', "The description 'a\\nb'"),
    ],
}

OTHER_KINDS = "leave it out, or write one of click, link_click, visible."
A_SELECTOR = "write a CSS selector such as '.zoom', 500 characters at most, without braces."
# How the sentence ends → what is written as the trigger of the key 'gallery', and how it begins.
TRIGGERS = {
    "is not known: did you mean 'click'?": [
        ("kind: clik, selector: .a", "The kind 'clik' of the"),
    ],
    "is not known: did you mean 'link_click'?": [
        ("kind: linkClick, selector: .a", "The kind 'linkClick' of the"),
    ],
    "is not known: did you mean 'visible'?": [
        ("kind: elementVisibility", "The kind 'elementVisibility' of the"),
    ],
    "is not known: did you mean 'selector'?": [
        ("kind: click, css_selector: .a", "The column 'css_selector' of the"),
    ],
    "is missing: add it.": [
        ("selector: .a", "The kind of the"),
        ("kind: null, selector: .a", "The kind of the"),
        ("kind: click", "The selector of the"),
        # Without quotes this begins a comment.
        ("kind: link_click, selector: \n #a\n", "The selector of the"),
        ("kind: visible, selector: ' '", "The selector of the"),
    ],
    f"is of no use to the kind 'scroll': {OTHER_KINDS}": [
        ("kind: scroll, selector: .a", "The selector '.a' of the"),
    ],
    f"is of no use to the kind 'event': {OTHER_KINDS}": [
        ("kind: event, selector: .a", "The selector '.a' of the"),
    ],
    f"cannot be read: {A_SELECTOR}": [
        ("kind: click, selector: '{{Click URL}}'", "The selector '{{Click URL}}' of the"),
        ("kind: click, selector: '.a,'", "The selector '.a,' of the"),
        ("kind: click, selector: '> .a'", "The selector '> .a' of the"),
        (
            f"kind: click, selector: {'a' * 501}",
            "The selector (501 characters, not shown: they may be a secret) of the",
        ),
    ],
    "cannot be read: it has a tab or a line break: write it in one line.": [
        ('kind: click, selector: ".a\\n.b"', "The selector '.a\\n.b' of the"),
    ],
    (
        "has / outside of quotes, as no CSS selector has: write \\ before it, or copy the selector "
        "and not the XPath."
    ): [
        ("kind: click, selector: .w-1/2", "The selector '.w-1/2' of the"),
        ("kind: click, selector: //div/a", "The selector '//div/a' of the"),
    ],
    "has a bracket or a quote without the other: correct it.": [
        ("kind: click, selector: 'a:not(.b'", "The selector 'a:not(.b' of the"),
        ("kind: click, selector: 'a:is([b)]'", "The selector 'a:is([b)]' of the"),
        ("kind: click, selector: 'a)'", "The selector 'a)' of the"),
        ("kind: click, selector: 'a[b=\"c]'", "The selector 'a[b=\"c]' of the"),
    ],
}

# How the sentence ends → what is written in a benchmark that is right otherwise, and how it begins.
BENCHMARKS = {
    "cannot be read: write two rates with 0 <= low < high <= 1, such as 0.05 and 0.10.": [
        ("low: 5, high: 10", "The high '10'"),
        ("low: 5%, high: 10%", "The low '5%'"),
        ("low: '0,05', high: '0,10'", "The low '0,05'"),
        ("low: 0.2, high: 0.1", "The high '0.1'"),
        ("low: -0.1, high: 0.1", "The low '-0.1'"),
        ("low: nan, high: 0.1", "The low 'nan'"),
        ("low: 0_0, high: 0.1", "The low '0_0'"),
        ("low: ٠, high: 0.1", "The low '٠'"),
        ("low: 1e-400, high: 0.1", "The low '1e-400'"),
        ("low: inf, high: .inf", "The low 'inf'"),
    ],
    "is missing: add it.": [
        ("source: ''", "The source"),
    ],
    "cannot be read: write a day as YYYY-MM-DD.": [
        ("source_date: 2026-02-30", "The source_date '2026-02-30'"),
        ("source_date: 2026-13-45", "The source_date '2026-13-45'"),
        ("source_date: 20260101", "The source_date '20260101'"),
        ("source_date: 2026-W01-1", "The source_date '2026-W01-1'"),
        ("source_date: 2026-01-01 10:00", "The source_date '2026-01-01 10:00'"),
        ("source_date: ٢٠٢٦-01-01", "The source_date '٢٠٢٦-01-01'"),
        ("source_date: January", "The source_date 'January'"),
        ("source_date: 0000-01-01", "The source_date '0000-01-01'"),
    ],
    "is not known: write 'sessions'.": [
        ("unit: users", "The unit 'users'"),
    ],
    "is not known: write 'primary' or 'secondary'.": [
        ("source_kind: own", "The source_kind 'own'"),
    ],
    "is not known: did you mean 'purchase'?": [
        ("numerator: chats", "The numerator 'chats'"),
    ],
    "is not known: did you mean 'industry'?": [
        ("bogus: x", "The column 'bogus'"),
    ],
}

FIGURE = "benchmark_key: conversion_rate, publisher: Shopify, period: 2026, period_end: 2026-10-31"
COHORT = "the figure 'conversion_rate, all, all, all, Shopify, 2026,"
# What stands in the file → what is said.
OTHERS = [
    ("benchmark: {}", "The section 'benchmark' of {file} is not known: did you mean 'benchmarks'?"),
    (
        "micro_conversion: {}",
        "The section 'micro_conversion' of {file} is not known: did you mean 'micro_conversions'?",
    ),
    ('"": 1', "The section '' of {file} is not known: did you mean 'not_applicable'?"),
    ('"a\\nb": {}', "The section 'a\\nb' of {file} is not known: did you mean 'not_applicable'?"),
    ("[micro_conversions]", "The tracking plan {file} must begin with 'micro_conversions:'."),
    ("text", "The tracking plan {file} must begin with 'micro_conversions:'."),
    (
        "micro_conversions: [gallery]",
        "The section 'micro_conversions' of {file} must be lines of 'key: {column: "
        "value}', such as 'gallery: {event_names: zoom}'.",
    ),
    (
        "micro_conversions: {gallery: zoom}",
        "The section 'micro_conversions' of {file} (see 'gallery') must be lines of 'key: "
        "{column: value}', such as 'gallery: {event_names: zoom}'.",
    ),
    (
        "micro_conversions: {gallery: {}}",
        "The section 'micro_conversions' of {file} (see 'gallery') must be lines of 'key: "
        "{column: value}', such as 'gallery: {event_names: zoom}'.",
    ),
    (
        "micro_conversions: {gallery: null}",
        "The section 'micro_conversions' of {file} (see 'gallery') must be lines of 'key: "
        "{column: value}', such as 'gallery: {event_names: zoom}'.",
    ),
    (
        "micro_conversions: {[a, b]: {stage: product}}",
        "The tracking plan {file} is not valid YAML near line 1 (a list or a mapping is no "
        "key): correct it.",
    ),
    (
        "micro_conversions: {gallery: {stage: home}, gallery: {stage: product}}",
        "The tracking plan {file} is not valid YAML near line 1 ('gallery' is there twice, "
        "first in line 1: keep one): correct it.",
    ),
    (
        "micro_conversions: {add_to_crat: {event_names: x}}",
        "The key 'add_to_crat' in {file} is not in the plan (the nearest one is "
        "'add_to_cart'): correct it, or give a new key its stage, family, description.",
    ),
    (
        "micro_conversions: {'{x}': {bogus: 1}}",
        "The key '{x}' in {file} is not in the plan (the nearest one is "
        "'experiment_exposure'): correct it, or give a new key its stage, family, "
        "event_names, description.",
    ),
    (
        'micro_conversions: {"a\\nb": {event_names: x}}',
        "The key 'a\\nb' in {file} is not in the plan (the nearest one is 'gallery'): "
        "correct it, or give a new key its stage, family, description.",
    ),
    (
        "micro_conversions: {sessions: {stage: home, family: intent, event_names: x, "
        "description: x, parent_key: product_view}}",
        "The key 'sessions' in {file} stands for all sessions: choose another name.",
    ),
    (
        "micro_conversions: {'@previous': {stage: home, family: intent, event_names: x, "
        "description: x}}",
        "The key '@previous' in {file} cannot be read: write a name of letters, digits, "
        "'_', '-' and '.', 60 at most.",
    ),
    (
        "micro_conversions: {'': {stage: home, family: intent, event_names: x, description: x}}",
        "The key in {file} is missing: add it.",
    ),
    (
        "micro_conversions: {' gallery': {stage: home, family: intent, event_names: x, "
        "description: x}}",
        "The key ' gallery' in {file} cannot be read: write a name of letters, digits, "
        "'_', '-' and '.', 60 at most.",
    ),
    (
        'micro_conversions: {"a\'b": {stage: home, family: intent, event_names: x, '
        "description: x}}",
        "The key 'a'b' in {file} cannot be read: write a name of letters, digits, '_', '-' "
        "and '.', 60 at most.",
    ),
    (
        "micro_conversions: {'a,b': {stage: home, family: intent, event_names: x, description: x}}",
        "The key 'a,b' in {file} cannot be read: write a name of letters, digits, '_', '-' "
        "and '.', 60 at most.",
    ),
    (
        "micro_conversions: {gallery: {family: [intent]}}",
        "The column 'family' of 'gallery' under micro_conversions in {file} is no text: "
        "write one value, or a list of names such as [one, two] (null and ~ in quotes, no '|').",
    ),
    (
        "micro_conversions: {gallery: {event_names: [[a]]}}",
        "The column 'event_names' of 'gallery' under micro_conversions in {file} is no "
        "text: write one value, or a list of names such as [one, two] (null and ~ in "
        "quotes, no '|').",
    ),
    (
        "micro_conversions: {gallery: {event_names: [a, null]}}",
        "The column 'event_names' of 'gallery' under micro_conversions in {file} is no "
        "text: write one value, or a list of names such as [one, two] (null and ~ in "
        "quotes, no '|').",
    ),
    (
        "micro_conversions: {gallery: {event_names: ['a|b', c]}}",
        "The column 'event_names' of 'gallery' under micro_conversions in {file} is no "
        "text: write one value, or a list of names such as [one, two] (null and ~ in "
        "quotes, no '|').",
    ),
    (
        'micro_conversions: {gallery: {event_names: "\\ud800"}}',
        "The tracking plan {file} is not valid YAML near line 1 (a character that is no "
        "text, U+D800): correct it.",
    ),
    (
        'micro_conversions: {gallery: {event_names: "a\\0"}}',
        "The tracking plan {file} is not valid YAML near line 1 (a character that is no "
        "text, U+0000): correct it.",
    ),
    (
        "micro_conversions: {gallery: {event_names: &zoom}}",
        "The tracking plan {file} is not valid YAML near line 1 (a value that begins with "
        "&, * or ! needs quotes): correct it.",
    ),
    (
        "micro_conversions: {gallery: {parameter_filter: [a=1, b=2]}}",
        "The column 'parameter_filter' of 'gallery' under micro_conversions in {file} is "
        "no text: write one value, or a list of names such as [one, two] (null and ~ in "
        "quotes, no '|').",
    ),
    (
        "micro_conversions: {gallery: {description: {a: b}}}",
        "The column 'description' of 'gallery' under micro_conversions in {file} is no "
        "text: write one value, or a list of names such as [one, two] (null and ~ in "
        "quotes, no '|').",
    ),
    (
        "not_applicable: wishlist",
        "The section 'not_applicable' of {file} must be a list of keys, such as [wishlist].",
    ),
    (
        "not_applicable: [whishlist]",
        "The key 'whishlist' under not_applicable in {file} is not known: did you mean 'wishlist'?",
    ),
    (
        "not_applicable: [[wishlist]]",
        "The section 'not_applicable' of {file} (see item 1) must be a list of keys, such "
        "as [wishlist].",
    ),
    (
        "not_applicable: [null]",
        "The section 'not_applicable' of {file} (see item 1) must be a list of keys, such "
        "as [wishlist].",
    ),
    (
        "not_applicable: ['']",
        "The key '' under not_applicable in {file} is not known: did you mean 'wishlist'?",
    ),
    (
        "not_applicable: [sessions]",
        "The key 'sessions' under not_applicable in {file} is not known: did you mean "
        "'delivery_done'?",
    ),
    (
        "benchmarks: {low: 1}",
        "The section 'benchmarks' of {file} must be a list of '- {benchmark_key: …, low: …}'.",
    ),
    (
        "benchmarks: [null]",
        "The section 'benchmarks' of {file} (see item 1) must be a list of '- "
        "{benchmark_key: …, low: …}'.",
    ),
    (
        "benchmarks: [{low: 1}]",
        "The benchmark_key of the benchmark ', all, all, all' in {file} is missing: add it.",
    ),
    (
        "benchmarks: [{benchmark_key: [[a]]}]",
        "The column 'benchmark_key' of item 1 under benchmarks in {file} is no text: write "
        "one value, or a list of names such as [one, two] (null and ~ in quotes, no '|').",
    ),
    (
        "benchmarks: [{benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, "
        "source_date: 2026-01-01, industry: foods}]",
        "The industry 'foods' of the benchmark 'add_to_cart_rate, foods, all, all' in {file} is "
        "not known: did you mean 'food'?",
    ),
    (
        "figures: {value: 1}",
        "The section 'figures' of {file} must be a list of '- {benchmark_key: …, value: …}'.",
    ),
    (
        f"figures: [{{{FIGURE}, statistic: best, value: 0.02}}]",
        f"The statistic 'best' of {COHORT} best' in {{file}} is not known: write 'mean', 'median', "
        "'bottom_10', 'bottom_20', 'bottom_25', 'top_25', 'top_20', 'top_10', 'mean_of_bottom_25' "
        "or 'mean_of_top_25'.",
    ),
    (
        f"figures: [{{{FIGURE}, statistic: median, value: 2}}]",
        f"The value '2' of {COHORT} median' in {{file}} cannot be read: write a share such as "
        "0.014 for 1.4 %.",
    ),
    (
        f"figures: [{{{FIGURE}, statistic: median, value: 0.02, link: shopify.com}}]",
        f"The link 'shopify.com' of {COHORT} median' in {{file}} cannot be read: write an address "
        "that begins with https://.",
    ),
    (
        f"figures: [{{{FIGURE}, statistic: median, value: 0.02, denominator: product_view}}]",
        "The benchmark 'conversion_rate' in {file} has the denominator 'product_view' in one row "
        "and 'sessions' in another: give what is counted otherwise a name of its own.",
    ),
    (
        f"figures: [{{{FIGURE}, statistic: median, value: 0.02}}, {{{FIGURE}, statistic: median, "
        "value: 0.03}]",
        f"The {COHORT.removeprefix('the ')} median' is twice in {{file}}: keep one.",
    ),
    (
        "benchmarks: [{benchmark_key: mine, is_default: true}]",
        "The is_default of a benchmark in {file} is not yours to set: leave it out.",
    ),
    (
        "benchmarks: [{benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, "
        "source_date: 2026-01-01, device: phone}]",
        "The device 'phone' of the benchmark 'add_to_cart_rate, all, phone, all' in {file} "
        "is not known: write 'all', 'desktop', 'mobile', 'tablet' or 'smart tv'.",
    ),
    (
        "benchmarks: [{benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, "
        'source_date: 2026-01-01, industry: "a\\nb"}]',
        "The industry 'a\\nb' of the benchmark 'add_to_cart_rate, a\\nb, all, all' in {file} "
        "cannot be read: it has a tab or a line break: write it in one line.",
    ),
    (
        "benchmarks: [{benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, "
        "source_date: 2026-01-01, region: ''}]",
        "The region of the benchmark 'add_to_cart_rate, all, all, ' in {file} is missing: add it.",
    ),
    (
        "benchmarks: [{benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, "
        "source_date: 2026-01-01, denominator: sessions}]",
        "The benchmark 'add_to_cart_rate' in {file} has the denominator 'sessions' in one "
        "row and 'product_view' in another: give what is counted otherwise a name of its own.",
    ),
    (
        "benchmarks: [{benchmark_key: mine, low: 0.05, high: 0.1, source: me, source_date: "
        "2026-01-01}]",
        "The numerator of the benchmark 'mine, all, all, all' in {file} is missing: add it.",
    ),
    (
        "benchmarks: [{benchmark_key: 'my rate', low: 0.05, high: 0.1, source: me, "
        "source_date: 2026-01-01, numerator: gallery, denominator: sessions}]",
        "The benchmark_key 'my rate' of the benchmark 'my rate, all, all, all' in {file} "
        "cannot be read: write a name of letters, digits, '_', '-' and '.', 60 at most.",
    ),
    (
        "benchmarks: [{benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, "
        "source_date: 2026-01-01}, {benchmark_key: add_to_cart_rate, low: 0.06, high: 0.1, "
        "source: me, source_date: 2026-01-01}]",
        "The benchmark 'add_to_cart_rate, all, all, all' is twice in {file}: keep one.",
    ),
]
RIGHT = "benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, source_date: 2026-01-01"


@pytest.fixture
def refusal(tmp_path):
    """What is said of a text in the file, with `{file}` for its path."""

    def refuse(text: str) -> str:
        path = tmp_path / "tracking_plan.yml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SeedError) as caught:
            load_plan(shop=path)
        return str(caught.value).replace(str(path), "{file}")

    return refuse


def test_a_column_of_a_key(refusal):
    for end, cases in GALLERY.items():
        for columns, start in cases:
            said = refusal(f"micro_conversions: {{gallery: {{{columns}}}}}")
            assert said == f"{start} of the key 'gallery' in {{file}} {end}"


def test_a_trigger_of_a_key(refusal):
    for end, cases in TRIGGERS.items():
        for columns, start in cases:
            said = refusal(f"micro_conversions: {{gallery: {{trigger: {{{columns}}}}}}}")
            assert said == f"{start} trigger of the key 'gallery' in {{file}} {end}"


@pytest.mark.parametrize("written", ["click", "[click, .a]", "{kind: click, selector: [data-a]}"])
def test_a_trigger_of_another_shape(refusal, written):
    assert refusal(f"micro_conversions: {{gallery: {{trigger: {written}}}}}") == (
        "The trigger of the key 'gallery' in {file} cannot be read: write it as {kind: click, "
        "selector: '.zoom'}, the selector in quotes."
    )


def test_a_trigger_makes_no_key(refusal):
    assert refusal("micro_conversions: {gallry: {trigger: {kind: click, selector: .x}}}") == (
        "The key 'gallry' in {file} is not in the plan (the nearest one is 'gallery'): correct "
        "it, or give a new key its stage, family, event_names, description."
    )
    assert refusal("micro_conversions: {gallery: {trigger: null}}").startswith(
        "The section 'micro_conversions' of {file} (see 'gallery') must be lines of"
    )


def test_a_column_of_a_benchmark(refusal):
    for end, cases in BENCHMARKS.items():
        for columns, start in cases:
            own = [part.partition(":")[0] for part in columns.split(", ")]
            rest = [part for part in RIGHT.split(", ") if part.partition(":")[0] not in own]
            said = refusal(f"benchmarks: [{{{', '.join((*rest, columns))}}}]")
            assert said == (
                f"{start} of the benchmark 'add_to_cart_rate, all, all, all' in {{file}} {end}"
            )


def test_what_is_wrong_otherwise(refusal):
    for text, sentence in OTHERS:
        assert refusal(text) == sentence


@pytest.mark.parametrize(
    "place",
    [
        "SECRET: {}",
        "micro_conversions: {SECRET: {stage: home}}",
        "micro_conversions: {gallery: {SECRET: x}}",
        "micro_conversions: {gallery: {stage: SECRET}}",
        "micro_conversions: {gallery: {event_names: [[SECRET]]}}",
        "micro_conversions: {gallery: {parent_key: SECRET}}",
        "micro_conversions: {gallery: {trigger: SECRET}}",
        "micro_conversions: {gallery: {trigger: {kind: SECRET}}}",
        "micro_conversions: {gallery: {trigger: {SECRET: click}}}",
        "micro_conversions: {gallery: {trigger: {kind: event, selector: SECRET}}}",
        "not_applicable: [SECRET]",
        "benchmarks: [{benchmark_key: SECRET}]",
        "benchmarks: [{SECRET: SECRET}]",
    ],
)
def test_no_secret_is_repeated(refusal, place):
    message = refusal(place.replace("SECRET", "https://hooks.example.com/T0/planted"))
    assert "{file}" in message
    assert "planted" not in message
