"""How quick the lab's page is: its first paint, the first δ, a step, a slider; and how large it is.

A lab and a headless Chromium run on this machine. Every load is that of a browser that has not been here before. A step
and a slider are timed inside the page: from the key to the frame after the drawing has changed.

    python benchmarks/lab.py
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright
from systems.machine import described

import chainrule.lab
from chainrule.lab.server import running
from chainrule.lessons.export.sheet import BROWSER_FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ViewportSize

STATIC = Path(chainrule.lab.__file__).with_name("static")
VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
DELTA = """() => {
    const numbers = [...document.querySelectorAll('.view svg text')].map((text) => text.textContent);
    return numbers.some((text) => /^δ.*\\d/.test(text)) ? performance.now() : null;
}"""
FOLLOWS = """([watched, key]) => new Promise((resolve, reject) => {
    const place = document.querySelector(watched);
    const began = performance.now();
    const seen = new MutationObserver(() => {
        seen.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
    });
    seen.observe(place, { subtree: true, childList: true, characterData: true, attributes: true });
    setTimeout(() => reject(new Error(`${watched} does not follow`)), 5000);
    const target = document.activeElement;
    if (key) {
        target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    } else {
        target.value = Number(target.value) + 0.01;
        target.dispatchEvent(new Event('input', { bubbles: true }));
    }
})"""


def visit(browser: Browser, address: str, repeats: int, times: dict[str, list[float]]) -> None:
    """Load the page once, go through steps, move a slider, and note how many milliseconds each took."""
    with browser.new_context(viewport=VIEWPORT) as context:
        page = context.new_page()
        page.goto(f"{address}#build")
        times["first δ on the screen, in Build"].append(page.wait_for_function(DELTA, polling=1).json_value())
        times["first paint"].append(page.evaluate(FIRST_PAINT))
        page.locator("[data-name='weights.0.0.0.slider']").focus()
        for _ in range(repeats):
            times["a slider, until the drawing follows"].append(page.evaluate(FOLLOWS, ["main .net", None]))
            page.wait_for_timeout(30)
        page.evaluate("location.hash = '#step'")
        page.locator(".net-title").focus()
        for key in ["ArrowRight"] * repeats + ["ArrowLeft"] * repeats:
            times["a step, by ← or →"].append(page.evaluate(FOLLOWS, ["main .net", key]))


def size(pages: bool) -> int:
    """Return how many bytes the page's code and styles have, or the pages that are read."""
    files = [file for file in STATIC.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files if (STATIC / "read" in file.parents) is pages)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=7, help="how often the page is loaded (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=10, help="steps and moves in each (default: %(default)s)")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser (default: %(default)s)")
    arguments = parser.parse_args()
    times: dict[str, list[float]] = defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "progress.db", requests_a_second=1000) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=BROWSER_FLAGS)
        for load in range(arguments.loads + 1):  # the first finds neither the lab nor the browser warm, and is left out
            visit(browser, address, arguments.repeats, times if load else defaultdict(list))
        version = browser.version
        browser.close()
    machine = described()
    print(f"{machine['processor']}, {machine['cores']} cores, Chromium {version}; milliseconds\n")
    print("| what | times | median | worst |\n|---|---|---|---|")
    for what, some in times.items():
        print(f"| {what} | {len(some)} | {statistics.median(some):.0f} | {max(some):.0f} |")
    print(f"\nthe page's code and styles: {size(pages=False):,} bytes; the pages of Read: {size(pages=True):,} bytes")


if __name__ == "__main__":
    main()
