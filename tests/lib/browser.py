# SPDX-License-Identifier: MIT
"""A real Chromium without a window, driven by chromedriver over WebDriver (W3C)."""
import atexit
import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request

from waiting import wait_for

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def missing():
    """The name of what is not installed, or None."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return program
    return None


class WebError(Exception):
    """What the driver has to complain of."""


class Element:
    def __init__(self, browser, handle):
        self.browser = browser
        self.handle = handle

    def call(self, method, what, body=None):
        return self.browser.call(method, "/element/%s%s" % (self.handle, what), body)

    @property
    def text(self):
        return self.call("GET", "/text")

    def attribute(self, name):
        return self.call("GET", "/attribute/" + name)

    def click(self):
        """Of a page that stands: the driver looks where it is, and clicks there a moment later."""
        self.browser.wait(lambda: self.browser.run("return document.readyState") == "complete", "the whole page")
        self.browser.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", self)
        self.call("POST", "/click", {})

    def type(self, text):
        self.call("POST", "/clear", {})
        self.call("POST", "/value", {"text": text})


class Browser:
    def __init__(self, width=1280, height=900, dark=False, script=True):
        self.folder = tempfile.mkdtemp(prefix="tidemark-browser-")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=%d" % port, "--log-level=SEVERE"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.folder, "TMPDIR": self.folder})
        atexit.register(self.close)
        self.base = "http://127.0.0.1:%d" % port
        self.wait(self.ready, "chromedriver answers")
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", "--user-data-dir=" + os.path.join(self.folder, "profile"),
            "--window-size=%d,%d" % (width, height)]
        if dark:
            arguments.append("--force-dark-mode")
        options = {"args": arguments, "binary": shutil.which("chromium")}
        if not script:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        answer = self.raw("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.base += "/session/" + answer["sessionId"]
        # Also while the window is not the active one, as on a machine that is slow to show it.
        self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setFocusEmulationEnabled", "params": {"enabled": True}})
        if width < 500:  # a window has a least width, a page's own has none
            self.call("POST", "/goog/cdp/execute", {
                "cmd": "Emulation.setDeviceMetricsOverride",
                "params": {"width": width, "height": height, "deviceScaleFactor": 1,
                           "mobile": True}})

    def close(self):
        if self.driver is None:
            return
        try:
            self.raw("DELETE", "")
        except (WebError, OSError):
            pass
        self.driver.terminate()
        try:
            self.driver.wait(10)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        self.driver = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def raw(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise WebError("%s: %s" % (value["error"], value["message"].split("\n")[0])) from None

    call = raw

    def ready(self):
        try:
            return self.raw("GET", "/status")["ready"]
        except OSError:
            return False

    def wait(self, condition, what="what is waited for"):
        """The condition's value, once it is true. What is looked at may be replaced by the page meanwhile."""
        def look():
            try:
                return condition()
            except WebError as error:
                if "stale element" in str(error):
                    return None
                raise
        value = wait_for(look, step=0.05)
        if not value:
            raise WebError("it did not come: %s%s" % (what, self.where()))
        return value

    def where(self):
        """The page that is looked at, for somebody who reads of a failure."""
        try:
            return "; at %s:\n%s" % (self.url, self.run("return document.body.innerText")[:2000])
        except (WebError, OSError, TypeError):
            return ""

    # --- pages ---

    def get(self, url):
        self.call("POST", "/url", {"url": url})

    @property
    def url(self):
        return self.call("GET", "/url")

    @property
    def title(self):
        return self.call("GET", "/title")

    def all(self, css):
        found = self.call("POST", "/elements", {"using": "css selector", "value": css})
        return [Element(self, e[ELEMENT]) for e in found]

    def find(self, css):
        """The first that fits, waited for."""
        return self.wait(lambda: self.all(css), css)[0]

    def link(self, text):
        found = self.call("POST", "/elements", {"using": "partial link text", "value": text})
        if not found:
            raise WebError("no link with the text " + text)
        return Element(self, found[0][ELEMENT])

    def text(self, css="main"):
        return self.wait(lambda: [self.find(css).text], css)[0]

    def fill(self, form):
        """{"#login": "x", …}: types into fields, chooses in selects."""
        for css, value in form.items():
            field = self.find(css)
            if field.call("GET", "/name") == "select":
                self.run("arguments[0].value = arguments[1];"
                         "arguments[0].dispatchEvent(new Event('change'))", field, value)
            else:
                field.type(value)

    def run(self, script, *arguments):
        given = [{ELEMENT: a.handle} if isinstance(a, Element) else a for a in arguments]
        return self.call("POST", "/execute/sync", {"script": script, "args": given})

    def console(self):
        """What pages complained of since it was asked last."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})
                if entry["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, path, whole=True):
        """The whole page, or what the window shows."""
        parameters = {"format": "png"}
        if whole:
            size = self.call("POST", "/goog/cdp/execute",
                             {"cmd": "Page.getLayoutMetrics", "params": {}})["cssContentSize"]
            parameters.update(captureBeyondViewport=True, clip={
                "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1})
        shot = self.call("POST", "/goog/cdp/execute",
                         {"cmd": "Page.captureScreenshot", "params": parameters})
        with open(path, "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    def pdf(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("POST", "/print", {"background": True})))

    def overflow(self):
        """How many pixels the page is wider than its window."""
        return self.run("return document.documentElement.scrollWidth - window.innerWidth")
