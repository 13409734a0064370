// The chat page. Asks the server what is new on one phone and shows it; sends what the person types, taps or picks.
// Words of people and of the service only ever become text nodes, never markup.

const page = document.body.dataset;
const texts = JSON.parse(page.texts);
const address = `/simulator/phones/${page.phone}/messages`;
const byId = (id) => document.getElementById(id);
const log = byId("log");
const field = byId("text");

const WAIT_IDLE = 1500; // milliseconds between two looks at the screen
const WAIT_BUSY = 350; // while an answer is under way
const OVERLAP = 50; // rows looked at again: with several servers a lower number may be written later
const LINK = /https:\/\/[^\s<>"'\u2066-\u2069]+/gu;
const NUMBER = /\+?[0-9](?:[0-9 \-\u2011\u2013]|\(0\)){4,}[0-9]/gu;
const ARABIC = /[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]/u;
const LETTER = /\p{L}/u;
const LIST = /^([0-9]+\.|-) /u;

let last = 0; // the highest row on the screen
let timer = 0;
let looking = false;
let again = false;
let unsent = null; // what was tried last and failed: trying once more is the same message, not a second one

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

// ---- Direction and language -------------------------------------------------------------------------------------

/**
 * The language of a line: its message's, but Arabic script is Arabic and goes right to left. Only the lines of a list
 * keep the direction of their message, so that the numbers stand below each other.
 */
function mark(element, line, language) {
  const first = line.match(LETTER);
  const code = first !== null && ARABIC.test(first[0]) ? "ar" : language;
  if (code) element.lang = code;
  const decides = LIST.test(line) ? language : code;
  element.dir = decides === "ar" ? "rtl" : decides ? "ltr" : "auto";
}

// ---- Text with links and numbers ----------------------------------------------------------------------------------

function appendNumbers(parent, text) {
  let from = 0;
  for (const found of text.matchAll(NUMBER)) {
    parent.append(text.slice(from, found.index));
    const number = make("span", "number", found[0]);
    number.dir = "ltr";
    parent.append(number);
    from = found.index + found[0].length;
  }
  parent.append(text.slice(from));
}

function appendLink(parent, href) {
  const link = make("a", "", href);
  link.href = href;
  link.dir = "ltr";
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.append(make("span", "unseen", ` ${texts.new_tab}`));
  parent.append(link);
}

function appendText(parent, text) {
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    const href = found[0].replace(/[.,;:!?)\]»”]+$/u, "");
    appendNumbers(parent, text.slice(from, found.index));
    appendLink(parent, href);
    from = found.index + href.length;
  }
  appendNumbers(parent, text.slice(from));
}

// ---- Bubbles ------------------------------------------------------------------------------------------------------

function drawSent(kind) {
  const line = make("p", "sent");
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#shape-${kind}`);
  picture.setAttribute("aria-hidden", "true");
  picture.append(use);
  line.append(picture, `${texts[kind]} (${texts.made_up})`);
  return line;
}

function drawLines(bubble, message) {
  let gap = "";
  for (const text of message.text.trim().split("\n")) {
    if (text.trim() === "") {
      gap = "gap";
      continue;
    }
    const line = make("p", gap);
    mark(line, text, message.language);
    appendText(line, text);
    bubble.append(line);
    gap = "";
  }
}

function drawBubble(message) {
  const bubble = make("div", "bubble");
  bubble.append(make("span", "unseen", message.mine ? texts.from_you : texts.from_service));
  if (message.kind !== "text") {
    bubble.append(drawSent(message.kind));
  } else {
    drawLines(bubble, message);
  }
  bubble.append(make("time", "", message.time));
  return bubble;
}

function drawOptions(message) {
  const group = make("div", "options");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", texts.choices);
  let row = null;
  let keys = null;
  for (const option of message.options) {
    if (keys === null || option.row === undefined || option.row !== row) {
      keys = make("div", "keys");
      row = option.row;
      group.append(keys);
    }
    const button = make("button", "", option.label);
    button.type = "button";
    mark(button, option.label, message.language);
    button.addEventListener("click", () => tap(button, message.id, option.token));
    keys.append(button);
  }
  return group;
}

function drawMessage(message) {
  const element = make("div", message.mine ? "message mine" : "message");
  element.id = `message-${message.id}`;
  element.dataset.id = message.id;
  element.dataset.day = message.day;
  element.append(drawBubble(message));
  if (message.options.length > 0) element.append(drawOptions(message));
  return element;
}

/** Puts a message where its number belongs; true when it wasn't there. */
function place(message) {
  if (byId(`message-${message.id}`)) return false;
  const element = drawMessage(message);
  const before = [...log.querySelectorAll(".message")].reverse().find((other) => Number(other.dataset.id) < message.id);
  if (before) before.after(element);
  else log.prepend(element);
  if (!before || before.dataset.day !== message.day) element.before(make("p", "day", message.day));
  last = Math.max(last, message.id);
  return true;
}

/** To the end, or to the top of the first new message of the service when that is too long to be seen at once. */
function showNewest(messages, isFirstTime) {
  const end = log.scrollHeight - log.clientHeight;
  const firstNew = messages.find((message) => !message.mine);
  const top = firstNew && !isFirstTime ? byId(`message-${firstNew.id}`).offsetTop - 12 : end;
  log.scrollTo({ top: Math.min(end, top), behavior: isFirstTime ? "instant" : "auto" });
}

// ---- Looking at the phone -------------------------------------------------------------------------------------------

function show(answer) {
  const isFirstTime = log.getAttribute("aria-busy") === "true";
  const added = answer.messages.filter(place);
  if (added.length > 0) showNewest(added, isFirstTime);
  if (!answer.more) log.setAttribute("aria-busy", "false");
  byId("typing").firstElementChild.hidden = !answer.busy;
  byId("empty").hidden = last > 0;
  byId("clock").textContent = answer.clock;
  if (byId("write").hidden !== answer.blocked) shut(answer.blocked);
}

/** The person blocked the service, or let it in again. Whoever stood on what went away, goes on at what came. */
function shut(isBlocked) {
  byId("blocked").hidden = !isBlocked;
  byId("write").hidden = isBlocked;
  if (document.activeElement.offsetParent !== null) return;
  if (isBlocked) byId("blocked").querySelector("button").focus();
  else field.focus();
}

async function look() {
  if (looking) {
    again = true;
    return;
  }
  looking = true;
  again = false;
  clearTimeout(timer);
  let wait = WAIT_IDLE;
  try {
    const query = new URLSearchParams({ channel: page.channel, language: page.language, after: Math.max(0, last - OVERLAP) });
    const response = await fetch(`${address}?${query}`);
    if (!response.ok) throw new Error(String(response.status));
    const answer = await response.json();
    show(answer);
    if (byId("alert").dataset.kind === "offline") warn("");
    if (answer.more) wait = 0;
    else if (answer.busy) wait = WAIT_BUSY;
  } catch {
    if (byId("alert").hidden) warn("offline");
  }
  looking = false;
  timer = setTimeout(look, again ? 0 : wait);
}

// ---- Sending --------------------------------------------------------------------------------------------------------

function warn(kind) {
  const alert = byId("alert");
  alert.hidden = kind === "";
  alert.dataset.kind = kind;
  alert.textContent = kind === "" ? "" : kind === "offline" ? alert.dataset.offline : alert.dataset.notSent;
}

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function post(url, body) {
  try {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    if (response.ok) return true;
  } catch {
    // no connection: told below
  }
  warn("not-sent");
  return false;
}

async function send(what) {
  const same = unsent && unsent.kind === what.kind && unsent.text === what.text && unsent.token === what.token;
  const message = same ? unsent : { id: newId(), channel: page.channel, language: page.language, ...what };
  const isSent = await post(address, message);
  unsent = isSent ? null : message;
  if (isSent) warn("");
  look();
  return isSent;
}

async function tap(button, message, token) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  await send({ kind: "tap", message, token });
  button.removeAttribute("aria-disabled");
}

let sending = false;

async function sendText() {
  const text = field.value.trim();
  if (text === "" || sending) return;
  sending = true;
  if (await send({ kind: "text", text })) {
    if (field.value.trim() === text) field.value = "";
    grow();
  }
  sending = false;
  field.focus();
}

// ---- The page's own buttons -----------------------------------------------------------------------------------------

function grow() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function openPanel(isOpen) {
  document.body.classList.toggle("panel-open", isOpen);
  byId("open-panel").setAttribute("aria-expanded", String(isOpen));
  if (isOpen) byId("panel-title").focus();
  showNewest([], true);
}

function choose(question) {
  field.value = question;
  openPanel(false);
  grow();
  field.focus();
}

async function sendOther(kind) {
  byId("other").open = false;
  await send({ kind });
  if (kind !== "blocked" && kind !== "unblocked") field.focus();
}

async function move(button) {
  await post("/simulator/clock", { seconds: Number(button.dataset.seconds) });
  look();
}

byId("write").addEventListener("submit", (event) => {
  event.preventDefault();
  sendText();
});
field.addEventListener("input", grow);
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendText();
});
byId("open-panel").addEventListener("click", () => openPanel(true));
byId("close-panel").addEventListener("click", () => {
  openPanel(false);
  byId("open-panel").focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (document.body.classList.contains("panel-open")) byId("close-panel").click();
  if (byId("other").open) {
    byId("other").open = false;
    byId("other").firstElementChild.focus();
  }
});
document.addEventListener("click", (event) => {
  if (!byId("other").contains(event.target)) byId("other").open = false;
});
for (const button of document.querySelectorAll("[data-send]")) button.addEventListener("click", () => sendOther(button.dataset.send));
for (const button of document.querySelectorAll("[data-seconds]")) button.addEventListener("click", () => move(button));
for (const button of document.querySelectorAll("[data-example]")) button.addEventListener("click", () => choose(button.textContent));
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) look();
});
window.addEventListener("online", look);
look();
