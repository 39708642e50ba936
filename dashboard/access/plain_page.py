"""Pages that need no script: sign-in, the reader's account, and why something was refused; in the product's look."""

from flask import Response, render_template_string
from markupsafe import Markup

from dashboard import palette, texts
from dashboard.texts import _

_AROUND = """<!DOCTYPE html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ title }} – Periscope</title>
<link rel="icon" type="image/svg+xml" href="/assets/mark.svg">
<script>{{ script }}</script>
<link rel="stylesheet" href="/assets/1-ground.css">
<link rel="stylesheet" href="/assets/5-access.css">
<style>{{ colours }}</style>
</head>
<body class="plain">
<header class="top"><div class="wide head">
<a class="brand" href="/"><span class="mark" aria-hidden="true"></span>Periscope</a>
</div></header>
<main class="door">
<h1>{{ title }}</h1>
{{ content }}
</main>
</body>
</html>
"""


def plain_page(title: str, template: str, status: int = 200, **values: object) -> Response:
    """A whole page; values are escaped where the template puts them in."""
    content = Markup(render_template_string(template, **values))
    page = render_template_string(
        _AROUND, title=title, content=content, language=texts.LANGUAGE, script=Markup(palette.SCHEME_SCRIPT),
        colours=Markup(palette.as_css_without_script()),
    )  # fmt: skip
    return Response(page, status, mimetype="text/html")


_REFUSED = """
<p class="lead">{{ sentence }}</p>
<p><a class="door-button" href="{{ link }}">{{ label }}</a></p>
"""


def refusal(title: str, sentence: str, status: int, link: str = "/", label: str = "") -> Response:
    """A page that says why, with a way on."""
    return plain_page(title, _REFUSED, status, sentence=sentence, link=link, label=label or _("To the first page"))
