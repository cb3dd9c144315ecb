// SPDX-License-Identifier: MIT
// Looks through the page that is shown, as it is shown (colours, sizes), for what keeps people out.
// Returns a list of "rule: what", empty when nothing serious was found. Body of a function that a
// test runs in the page; it changes nothing that stays.
const found = [];
const say = (rule, element, why) => found.push(rule + ": " + outline(element) + (why ? " " + why : ""));
const all = (css) => Array.from(document.querySelectorAll(css));

function outline(e) {
  const text = (e.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
  return "<" + e.localName + (e.id ? " id=" + e.id : "") + (e.className && e.className.baseVal === undefined ?
    " class=" + e.className : "") + (e.name ? " name=" + e.name : "") + ">" + text;
}

// Whether somebody who sees meets it; what is clipped away for screen readers alone counts as unseen.
function seen(e) {
  if (!e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) return false;
  const r = e.getBoundingClientRect();
  return r.width > 1 && r.height > 1;
}
// Whether a screen reader meets it.
const spoken = (e) => e.checkVisibility({checkVisibilityCSS: true}) && !e.closest("[aria-hidden=true]");

function nameOf(e) {
  const by = (e.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean)
    .map((id) => document.getElementById(id)).filter(Boolean).map((x) => x.textContent).join(" ");
  if (by.trim()) return by.trim();
  if ((e.getAttribute("aria-label") || "").trim()) return e.getAttribute("aria-label").trim();
  if (e.labels && e.labels.length) return Array.from(e.labels).map((l) => l.textContent).join(" ").trim();
  if (e.localName === "img") return e.getAttribute("alt") || "";
  const inner = Array.from(e.querySelectorAll("img[alt], svg[aria-label], svg title"))
    .map((x) => x.getAttribute("alt") || x.getAttribute("aria-label") || x.textContent).join(" ");
  const text = Array.from(e.childNodes).filter((n) => n.nodeType === 3 || !n.closest || !n.closest("[aria-hidden=true]"))
    .map((n) => n.textContent).join(" ");
  return (text + " " + inner).trim() || (e.getAttribute("title") || "").trim();
}

// --- names, structure, references -------------------------------------------------------------
if (!document.documentElement.lang) say("the page has no language", document.documentElement);
if (!document.title.trim()) say("the page has no title", document.documentElement);
const h1 = all("h1").filter(spoken);
if (h1.length !== 1) say("not one h1 but " + h1.length, document.body);
let level = 1; // what stands before the h1 may be an h2
for (const h of all("h1, h2, h3, h4, h5, h6").filter(spoken)) {
  const n = Number(h.localName[1]);
  if (n > level + 1) say("a heading leaves out a level", h, "after h" + level);
  if (!h.textContent.trim()) say("an empty heading", h);
  level = n;
}
if (all("main").filter(spoken).length !== 1) say("not one main", document.body);
if (!all("header, [role=banner]").length) say("no banner", document.body);
const navs = all("nav").filter(spoken);
for (const n of navs) if (navs.length > 1 && !nameOf(n).length) say("one of several navs has no name", n);
for (const n of navs)
  if (navs.length > 1 && !n.getAttribute("aria-label") && !n.getAttribute("aria-labelledby")) say("one of several navs has no name", n);
for (const e of all("img")) if (spoken(e) && !e.hasAttribute("alt")) say("a picture has no text", e);
for (const e of all("svg"))
  if (spoken(e) && !(e.getAttribute("role") === "img" && nameOf(e)) && !e.closest("a, button, [role=img]"))
    say("a drawing is neither named nor hidden", e);
for (const e of all("a[href], button, summary, [role=button]")) if (spoken(e) && !nameOf(e)) say("no name", e);
for (const e of all("input:not([type=hidden]), select, textarea"))
  if (spoken(e) && !nameOf(e)) say("a field has no label", e);
for (const e of all("table")) {
  if (!spoken(e)) continue;
  if (!e.querySelector("th")) say("a table has no heads", e);
  for (const h of e.querySelectorAll("thead th"))
    if (!h.hasAttribute("scope") && !h.hasAttribute("role")) say("a head has no scope", h);
  for (const h of e.querySelectorAll("th")) if (!h.textContent.trim()) say("an empty head", h);
}
const ids = new Map();
for (const e of all("[id]")) {
  if (ids.has(e.id)) say("an id stands twice", e);
  ids.set(e.id, e);
}
for (const a of ["aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "for", "list"])
  for (const e of all("[" + a + "]"))
    for (const id of e.getAttribute(a).split(/\s+/).filter(Boolean))
      if (!ids.has(id)) say(a + " names what is not there: " + id, e);
for (const e of all("a[href^='#']"))
  if (e.hash.length > 1 && !ids.has(decodeURIComponent(e.hash.slice(1)))) say("a link leads nowhere", e, e.hash);
for (const e of all("[tabindex]")) if (e.tabIndex > 0) say("a tab order of its own", e);
for (const e of all("[aria-hidden=true] a[href], [aria-hidden=true] button, [aria-hidden=true] input"))
  if (e.checkVisibility() && e.tabIndex >= 0) say("can be reached and is not told", e);
for (const e of all("ul, ol"))
  for (const c of e.children)
    if (!["li", "script", "template"].includes(c.localName)) say("a list holds what is no item", c);

// --- colours -------------------------------------------------------------------------------------
function colour(text) {
  const m = text.match(/[\d.]+/g);
  if (!m) return [0, 0, 0, 0];
  const scale = text.startsWith("color(") ? 255 : 1;
  return [m[0] * scale, m[1] * scale, m[2] * scale, m.length > 3 ? Number(m[3]) : 1];
}
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
function ground(e) {
  const layers = [];
  for (let x = e; x; x = x.parentElement) {
    const style = getComputedStyle(x);
    if (style.backgroundImage !== "none" && x !== e && !style.backgroundImage.startsWith("url")) return null;
    layers.push(colour(style.backgroundColor));
    if (layers[layers.length - 1][3] === 1) break;
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return layers.reverse().reduce((below, top) => over(top, below), dark ? [18, 18, 18, 1] : [255, 255, 255, 1]);
}
function luminance(c) {
  const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : Math.pow((v / 255 + 0.055) / 1.055, 2.4)));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a, b) {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}
const told = new Set();
for (const e of all("body *")) {
  if (e.closest("svg, option, [disabled], [aria-disabled=true]") || !seen(e)) continue;
  if (!Array.from(e.childNodes).some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  const style = getComputedStyle(e), below = ground(e);
  if (!below) continue;
  const ratio = contrast(over(colour(style.color), below), below);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio >= (large ? 3 : 4.5) - 0.005) continue;
  const key = style.color + below + e.className;
  if (!told.has(key)) say("too little contrast, " + ratio.toFixed(2), e, style.color + " on " + below.slice(0, 3).map(Math.round));
  told.add(key);
}

// --- keyboard and fingers ----------------------------------------------------------------------------
const look = (s) => [s.outlineStyle + s.outlineWidth + s.outlineColor, s.boxShadow, s.borderColor, s.backgroundColor,
  s.textDecorationLine].join("|");
const before = document.activeElement;
for (const e of all("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")) {
  if (!seen(e) || e.disabled) continue;
  if (document.activeElement && document.activeElement !== document.body) document.activeElement.blur();
  const plain = look(getComputedStyle(e));
  e.focus({preventScroll: true, focusVisible: true});
  if (document.activeElement === e && look(getComputedStyle(e)) === plain) {
    if (!told.has("focus" + e.localName + e.className)) say("the focus is not seen", e);
    told.add("focus" + e.localName + e.className);
  }
}
if (document.activeElement) document.activeElement.blur();
if (before && before !== document.body) before.focus({preventScroll: true});
for (const e of all("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
  if (!seen(e) || e.closest(".dygraph-legend")) continue;
  const r = e.getBoundingClientRect();
  const label = e.labels && e.labels[0] ? e.labels[0].getBoundingClientRect() : r;
  if (Math.max(r.height, Math.min(label.height, label.width)) >= 24 && Math.max(r.width, label.width) >= 24) continue;
  // A link within a line of text is as high as its line; others may be small where nothing is near.
  if (e.localName === "a" && getComputedStyle(e).display === "inline") continue;
  const x = r.left + r.width / 2, y = r.top + r.height / 2;
  const near = all("a[href], button, input:not([type=hidden]), select, textarea, summary").some((o) => {
    if (o === e || !seen(o) || o.contains(e) || e.contains(o)) return false;
    const q = o.getBoundingClientRect();
    return Math.hypot(Math.max(q.left - x, x - q.right, 0), Math.max(q.top - y, y - q.bottom, 0)) < 12;
  });
  if (near) say("too small for a finger, " + Math.round(r.width) + " x " + Math.round(r.height), e);
}
return found;
