// What a script adds to the pages of people who work here. Everything works without it.
// Words come from the server; nothing that a person wrote is ever put into a page here.

const IDLE = 4000; // milliseconds without a key, a click or a movement: nobody is reading or about to click
const NEAR_TOP = 150; // pixels: further down a list that changes would jump under the eyes
const byId = (id) => document.getElementById(id);

// ---- The list that follows what happens -----------------------------------------------------------------------------

let source = null; // the open stream
let hasNews = false;
let lastTouch = 0;

/** Listen while the page is seen. A browser opens few connections to one server; a page behind others needs none. */
function connect() {
  source?.close();
  source = null;
  const list = byId("live");
  if (!list || document.hidden) return;
  source = new EventSource(`/desk/events?since=${encodeURIComponent(list.dataset.live)}`);
  source.addEventListener("news", (event) => tell(event.data));
}

/** The line above the list. It is made by the server and holds numbers only. */
function tell(html) {
  const line = byId("news");
  line.innerHTML = html;
  hasNews = line.querySelector("[data-show-news]") !== null;
}

/** Whether the list may change by itself without taking something away from under somebody. */
function isIdle() {
  const list = byId("live");
  return (
    !document.querySelector("dialog[open]") &&
    !list.contains(document.activeElement) &&
    !isWrittenIn(list) &&
    window.scrollY < NEAR_TOP &&
    (!document.hasFocus() || performance.now() - lastTouch > IDLE)
  );
}

function isWrittenIn(list) {
  const changed = (field) =>
    field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
  return [...list.querySelectorAll("input:not([type=hidden]), textarea")].some(changed);
}

/** Take the list anew from the same page, and leave everything else as it is. By itself it keeps no session alive. */
async function refresh(headers = {}) {
  hasNews = false;
  const place = { target: "#live", select: "#live", swap: "outerHTML" };
  await htmx.ajax("GET", location.pathname + location.search, { ...place, headers });
  byId("news").replaceChildren();
  connect();
}

async function showNews() {
  await refresh();
  const place = byId("live").querySelector("h1, h2, a");
  place?.setAttribute("tabindex", "-1");
  place?.focus();
}

// Somebody who is logged out gets another page: then that page, not an empty list.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "live" || event.detail.xhr.responseText.includes('id="live"')) return;
  event.detail.shouldSwap = false;
  location.reload();
});

for (const kind of ["keydown", "pointerdown", "pointermove", "scroll", "focusin"]) {
  document.addEventListener(kind, () => (lastTouch = performance.now()), { passive: true });
}
document.addEventListener("visibilitychange", connect);
window.addEventListener("pagehide", () => source?.close());
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-show-news]")) showNews();
});
setInterval(() => {
  if (hasNews && isIdle()) refresh({ "X-By-Itself": "1" });
}, 1000);
connect();

// ---- Keys -----------------------------------------------------------------------------------------------------------

const OFF = "wegwijs-keys-off";
const keysAreOn = () => localStorage.getItem(OFF) === null;

function step(by) {
  const items = [...document.querySelectorAll("[data-item], .words")].filter((item) => item.offsetParent !== null);
  if (items.length === 0) return;
  const here = items.findIndex((item) => item.contains(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, here + by));
  items[next].focus();
  items[next].scrollIntoView({ block: "nearest" });
}

function openShortcuts() {
  byId("shortcuts-on").checked = keysAreOn();
  byId("shortcuts").showModal();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  n: () => document.querySelector("[data-show-news]")?.click(),
  "/": () => document.querySelector("input[type=search]")?.focus(),
  "?": openShortcuts,
};

/** The button that sends what somebody writes: the first one of the card, else of the form. */
function sendFrom(field) {
  const place = field.closest(".card") ?? field.form;
  place?.querySelector("button:not([type=button])")?.click();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey && event.target.matches("textarea")) {
    event.preventDefault();
    sendFrom(event.target);
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || !keysAreOn()) return;
  if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

const opener = byId("open-shortcuts");
if (opener) {
  opener.hidden = false;
  opener.addEventListener("click", openShortcuts);
  byId("shortcuts-on").addEventListener("change", (event) => {
    if (event.target.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
}
