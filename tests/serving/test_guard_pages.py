"""The form to sign in and the list of addresses, in a browser: what they do, and that they ask nobody else."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from serving_kit import chromium, live

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for this file."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A service with a token."""
    with live(token=TOKEN) as found:
        yield found


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """A page of a browser that is not signed in; it must ask nobody but the service."""
    context = browser.new_context()
    found, asked = context.new_page(), []
    found.on("request", lambda request: asked.append(urlsplit(request.url).hostname))
    yield found
    context.close()
    assert set(asked) <= {"127.0.0.1", "localhost", "other.test"}


def sign_in(page: Any, url: str) -> None:
    """Go to the page and give the token."""
    page.goto(f"{url}/#tab=kernels")
    page.fill("#token", TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_selector("#tabs [role=tab]")


def test_a_wrong_token_is_said_and_the_right_one_opens_the_place_that_was_asked_for(
    page: Any, url: str
) -> None:
    page.goto(f"{url}/#tab=kernels")
    page.fill("#token", "a-token-that-is-another")
    page.click("button")
    page.wait_for_function("document.getElementById('said').textContent !== ''")
    assert page.inner_text("#said") == "This is not the token of this service."
    sign_in(page, url)
    assert page.url == f"{url}/#tab=kernels"
    assert TOKEN not in json.dumps(page.context.storage_state()["origins"])
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["value"] == TOKEN) == (True, "Strict", False)


def test_a_link_of_another_site_leads_to_the_page_of_a_browser_that_is_signed_in(page: Any, url: str) -> None:
    sign_in(page, url)
    link = f'<a href="{url}/#tab=kernels">striate</a>'
    page.route("http://other.test/**", lambda route: route.fulfill(body=link, content_type="text/html"))
    page.goto("http://other.test/")
    page.click("a")
    page.wait_for_selector("#tabs [role=tab]")
    assert page.url == f"{url}/#tab=kernels"


def test_every_address_is_listed_with_what_it_takes(page: Any, url: str) -> None:
    sign_in(page, url)
    page.goto(f"{url}/docs")
    page.wait_for_selector(".reference-operation")
    asked = urllib.request.Request(f"{url}/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"})
    paths = json.load(urllib.request.urlopen(asked))["paths"]
    listed = set(page.locator(".reference-operation h3").all_inner_texts())
    assert listed == {f"{method.upper()} {path}" for path, found in paths.items() for method in found}
    row = page.locator(".reference-operation", has_text="POST /predict").locator("tbody tr").first
    assert row.inner_text().split("\t")[:3] == ["digests", "query", "boolean"]
    assert f"curl --data-binary @picture.png {url}/predict" in page.inner_text("#reference")


@pytest.mark.parametrize("address", ["/", "/docs"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_anybody(page: Any, url: str, address: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    if address != "/":
        sign_in(page, url)
    page.goto(f"{url}{address}")
    page.wait_for_selector("#token, .reference-operation")
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
