"""The page that browsers get from a frontend."""

from __future__ import annotations

from html import escape

from aiohttp import web

from .config import Settings

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto }}
  code {{ background: #8882; padding: .1em .3em; border-radius: .2em }}
</style>
<h1>{name}</h1>
<p>Answered by replica <code>{replica}</code>.</p>
"""


def wanted(request: web.Request) -> bool:
    """Whether a browser asks for a page."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "")


def answer(settings: Settings) -> web.Response:
    """The page with this replica's name."""
    text = _PAGE.format(name=escape(settings.name), replica=escape(settings.replica))
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})
