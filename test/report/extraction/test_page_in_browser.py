"""The page in headless Chromium: every player loads, every image is drawn, nothing is loaded from anywhere."""

import os

import pytest
from support.headless_browser import Browser, find_browser

pytestmark = pytest.mark.browser

PLAYERS = """
Promise.all([...document.querySelectorAll("audio")].map((audio) => new Promise((done) => {
  const tell = () => done({name: audio.getAttribute("aria-label"), duration: audio.duration || 0,
    expected: Number(audio.dataset.seconds), error: audio.error ? audio.error.message : null});
  if (audio.error || audio.readyState >= 1) return tell();
  audio.onloadedmetadata = audio.onerror = tell;
})))
"""
IMAGES = """
Promise.all([...document.images].map((image) => image.decode().catch(() => null).then(
  () => ({name: image.alt, width: image.naturalWidth, height: image.naturalHeight, shown: image.clientWidth}))))
"""


@pytest.fixture(scope="module")
def browser_of(tmp_path_factory):
    """``browser_of(path)`` opens a page."""
    program = find_browser()
    if program is None:
        reason = "no Chromium here: run tools/installers/chromium.sh, or name one in the variable CHROMIUM"
        (pytest.fail if os.environ.get("ZSPEX_REQUIRE_BROWSER") else pytest.skip)(reason)
    opened = []

    def open_page(path):
        opened.append(Browser(program, tmp_path_factory.mktemp("profile")))
        opened[-1].open(path.as_uri())
        return opened[-1]

    yield open_page
    for browser in opened:
        browser.__exit__()


@pytest.fixture(scope="module")
def browser(browser_of, tse_report):
    return browser_of(tse_report / "page.html")


def test_every_player_loads_and_reports_the_duration_of_its_recording(browser):
    players = browser.evaluate(PLAYERS)
    # 3 kinds x 3 places and the worst with 5 columns; the absent case has no ground truth.
    assert len(players) == 10 * 5 + 4
    for player in players:
        assert player["error"] is None, player
        assert player["expected"] == pytest.approx(0.8, abs=0.01)
        assert player["duration"] == pytest.approx(player["expected"], abs=1e-3), player


def test_every_image_is_drawn(browser):
    images = browser.evaluate(IMAGES)
    assert len(images) == 54 + 2  # a spectrogram for each player, t-SNE and curves
    for image in images:
        assert image["width"] > 0 and image["height"] > 0 and image["shown"] > 100, image
        assert image["name"]


def test_nothing_is_loaded_and_nothing_complains(browser):
    browser.evaluate(PLAYERS)
    assert browser.requests() == []
    assert browser.complaints() == []


def test_a_player_that_starts_stops_the_others(browser):
    script = """
    (async () => {
      const [one, two] = document.querySelectorAll("audio");
      await one.play(); await two.play();
      await new Promise((done) => setTimeout(done, 0));
      const states = [one.paused, two.paused];
      two.pause();
      return states;
    })()
    """
    assert browser.evaluate(script) == [True, False]


def test_the_page_is_no_wider_than_a_telephone(browser):
    browser.call("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=True)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    browser.call("Emulation.clearDeviceMetricsOverride")


def test_a_broken_page_is_noticed(browser_of, tmp_path):
    path = tmp_path / "broken.html"
    path.write_text(
        '<audio aria-label="bad" data-seconds="1" preload="metadata" src="data:audio/flac;base64,ZkxhQw=="></audio>'
        '<img alt="cut" src="data:image/png;base64,iVBORw0KGgo="><img alt="far" src="http://localhost:9/x.png">'
        "<script>console.error('told')</script>"
    )
    browser = browser_of(path)
    assert browser.evaluate(PLAYERS)[0]["error"]
    assert [image["width"] for image in browser.evaluate(IMAGES)] == [0, 0]
    assert browser.requests() == ["http://localhost:9/x.png"]
    assert any("told" in text for text in browser.complaints())
