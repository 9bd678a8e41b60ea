// One execution: why it went as it did, and a cursor that goes through all that happened, with the state at
// each event. Where the cursor is stands in the address (`?at=3.2`).

import { announce } from "./announce.js";
import { get } from "./api.js";
import { dialog } from "./dialog.js";
import { named } from "./event_shape.js";
import { axis } from "./execution_axis.js";
import { events, list } from "./execution_list.js";
import { panel } from "./execution_state.js";
import { way } from "./execution_way.js";
import { listen, stateTag, who } from "./executions.js";
import { facts, fill, h, moment } from "./h.js";
import { action, bar, button, section, setTitle } from "./page.js";
import { href, query, setQuery } from "./router.js";

export const title = "Execution";

const UNFINISHED = ["running", "waiting", "failed"];
/** How long the cursor rests before the state is asked for, in milliseconds. */
const REST = 60;
/** How long a file may take to be written, in milliseconds. */
const LONG = 60_000;

export async function render(place, { pk, signal }) {
  const path = `/gatelog/executions/${encodeURIComponent(pk)}/`;
  const news = h("p", { class: "live", role: "status" });
  const reason = h("div", { class: "page" });
  const outline = h("p", { class: "outline" });
  const about = h("div");
  const ways = h("div");
  const cursor = stepper({ path, ways, signal });
  let known = await get(path, {}, { signal });
  const show = () => {
    setTitle(known.code);
    fill(outline, outlined(known));
    fill(about, facts_(known));
    cursor.show(known);
  };
  place.append(
    outline,
    actions(known, path, cursor),
    news,
    reason,
    h("section", { class: "happened" }, cursor.element),
    section("The way through the flow", ways),
    about,
  );
  show();
  why(path, signal).then((told) => fill(reason, told && explained(told, known.people)));
  const isOpen = () => UNFINISHED.includes(known.state);
  if (!isOpen()) return;
  listen(signal, news, async () => {
    if (!isOpen()) return;
    try {
      known = await get(path, {}, { signal });
    } catch {
      return;
    }
    show();
    const told = await why(path, signal);
    fill(reason, told && explained(told, known.people));
  });
}

/** The whole in a line. */
const outlined = (it) => [
  stateTag(it.state),
  it.detail ? h("strong", {}, it.detail) : null,
  h("span", {}, who(it)),
  h("a", { href: href(`/flows/${it.flow}`) }, it.flow),
  h("span", { class: "quiet" }, moment(it.started)),
];

const actions = (it, path, cursor) =>
  bar(
    action("Verify", () => verify(path, cursor)),
    button("What if…", href("/what-if", { execution: it.execution })),
    action("Bundle", () => bundle(it, path)),
    button("Its flow", href(`/flows/${it.flow}`)),
    it.user ? button("Its user", href(`/users/${it.user.pk}`)) : null,
    button("All from there", href("/executions", { address: it.address })),
    action("Plan and context", () => inspect(it)),
  );

/** What the server says about why it went so; nothing where it says nothing. */
const why = (path, signal) => get(`${path}why/`, {}, { signal }).catch(() => null);

function explained(told, people) {
  const text = typeof told === "string" ? told : told.text;
  if (!text) return null;
  const paragraphs = (all) =>
    [all]
      .flat()
      .flatMap((it) => String(it).split(/\n{2,}/))
      .map((it) => h("p", {}, named(it, people)));
  const forHelp = told.help_desk
    ? h("details", {}, h("summary", {}, "For the help desk, without personal data"), paragraphs(told.help_desk))
    : null;
  return h("section", { class: "why" }, h("div", { class: "head" }, h("h2", {}, "Why")), paragraphs(text), forHelp);
}

function facts_(it) {
  const asked = it.challenge ? `challenge ${it.challenge.number}, ${it.challenge.component}` : null;
  const known = facts([
    ["State", stateTag(it.state)],
    ["Where or why", it.detail || "—"],
    it.problem ? ["Problem", it.problem] : null,
    ["Code", h("code", {}, it.code)],
    ["Flow", h("a", { href: href(`/flows/${it.flow}`) }, it.flow)],
    ["User", who(it)],
    ["Began", moment(it.started)],
    ["Last touched", moment(it.last)],
    ["From", it.address],
    ["Browser", it.user_agent || "—"],
    asked ? ["The visitor is asked", asked] : null,
    ["Id", h("code", {}, it.execution)],
    ["Session", h("code", {}, it.session)],
  ]);
  return section("Facts", known);
}

async function inspect(it) {
  const found = await get(`/flows/inspector/${it.flow}/`, { execution: it.execution }).catch(
    (error) => ({ error }),
  );
  const content = found.error
    ? h("p", { class: "alert" }, found.error.message)
    : h("pre", { tabindex: "0" }, JSON.stringify(found, null, 2));
  await dialog({ title: `What ${it.code} knows`, content, wide: true }).closed;
}

/** Keeps all that is needed to run it again elsewhere as a file. */
async function bundle(it, path) {
  try {
    const whole = await get(`${path}bundle/`, {}, { asText: true });
    const file = new Blob([whole], { type: "application/json" });
    const link = h("a", { href: URL.createObjectURL(file), download: `${it.code}.bundle` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), LONG);
    announce(`${it.code}.bundle was made.`);
  } catch (error) {
    announce(error.detail ?? error.message, "bad");
  }
}

async function verify(path, cursor) {
  const found = await get(`${path}verify/`).catch((error) => ({
    outcome: "error",
    problem: error.message,
  }));
  const place = found.version && { version: found.version, event: found.event ?? 1 };
  const there = place && h("button", { type: "button" }, `Go to event ${place.version}.${place.event}`);
  const content =
    found.outcome === "same"
      ? h(
          "p",
          {},
          `Run again on what was recorded, this version of the server comes to the same events, in ${found.records} steps.`,
        )
      : [
          h("p", { class: "alert" }, place ? `At step ${found.version}: ${found.problem}.` : found.problem),
          found.at ? h("p", {}, `It belongs to the ${found.at.what} ${found.at.name}.`) : null,
          side("Recorded", found.recorded),
          side("Now", found.replayed),
          there ? bar(there) : null,
        ];
  const open = dialog({ title: "Verified", content });
  there?.addEventListener("click", () => {
    open.close();
    cursor.go(place);
  });
  await open.closed;
}

const side = (name, lines) =>
  lines?.length ? [h("h3", {}, name), h("ul", {}, lines.map((line) => h("li", {}, line)))] : null;

/** The axis, the list and the panel, and the cursor that they share. */
function stepper({ path, ways, signal }) {
  let all = [];
  let people = {};
  let at = 0;
  let states = new Map();
  let parts = null;
  let timer;
  let turn = 0;
  const count = h("span", { class: "count", role: "status" });
  const moves = [
    ["⇤", "First event", () => move(0)],
    ["←", "Previous event", () => move(at - 1)],
    ["→", "Next event", () => move(at + 1)],
    ["⇥", "Last event", () => move(all.length - 1)],
  ].map(([sign, name, act]) =>
    h(
      "button",
      { type: "button", "aria-label": name, title: name, onclick: act },
      h("span", { "aria-hidden": "true" }, sign),
    ),
  );
  const controls = h(
    "div",
    { class: "controls" },
    moves,
    count,
    h("button", { type: "button", class: "quiet", onclick: () => help() }, "Keys"),
  );
  const shown = panel(path, controls);
  const lines = h("div", { class: "lines scrolls", tabindex: "-1" });
  const strip = h("div");
  const element = h(
    "div",
    { class: "stepper" },
    h(
      "div",
      { class: "head" },
      h("h2", {}, "What happened"),
      h("p", { class: "quiet" }, "Time runs to the right; pauses of ten seconds and more are folded."),
    ),
    strip,
    h("div", { class: "halves" }, lines, shown),
  );

  function find({ version, event, number }) {
    const wanted = event ?? number;
    const exact = all.findIndex((it) => it.version === version && it.number === wanted);
    return exact >= 0 ? exact : all.findIndex((it) => it.version === version);
  }

  function asked() {
    const [version, event] = String(query().at ?? "").split(".").map(Number);
    return version ? find({ version, event }) : -1;
  }

  function move(to, { focus, silent } = {}) {
    if (all.length === 0) return;
    at = Math.max(0, Math.min(all.length - 1, to));
    const place = all[at];
    if (!silent) setQuery({ at: at === all.length - 1 ? "" : place.name });
    parts.lines.mark(place, { focus });
    parts.axis.mark({ step: place.index, now: at + 1, of: all.length, text: place.text });
    count.textContent = `Event ${at + 1} of ${all.length}`;
    for (const [index, press] of moves.entries()) {
      const isOver = index < 2 ? at === 0 : at === all.length - 1;
      press.setAttribute("aria-disabled", String(isOver));
    }
    const state = states.get(place.name);
    shown.show(place, state, people);
    if (state) draw(state);
    clearTimeout(timer);
    timer = setTimeout(() => load(place), state ? 0 : REST);
  }

  async function load(place) {
    const mine = (turn += 1);
    try {
      const state = await ask(place);
      if (mine !== turn || signal.aborted) return;
      shown.show(place, state, people);
      draw(state);
      for (const near of [all[at + 1], all[at - 1]]) if (near) ask(near).catch(() => {});
    } catch (error) {
      if (mine === turn && error.name !== "AbortError") shown.fails(error);
    }
  }

  async function ask(place) {
    const known = states.get(place.name);
    if (known) return known;
    const asked = { version: place.version, event: String(place.number) };
    const state = await get(`${path}state/`, asked, { signal });
    states.set(place.name, state);
    return state;
  }

  let drawn;
  function draw(state) {
    if (drawn === state) return;
    drawn = state;
    fill(ways, way(state, { ...people, ...state.people }, { choose: go }));
  }

  function go(place) {
    const index = find(place);
    if (index < 0) return;
    move(index);
    element.scrollIntoView({ block: "start" });
    lines.querySelector('[aria-current="step"]')?.focus({ preventScroll: true });
  }

  async function help() {
    const rows = [
      ["j, ↓, →", "One event on"],
      ["k, ↑, ←", "One event back"],
      ["Home", "To the first event"],
      ["End", "To the last event"],
      ["?", "This"],
    ].map(([key, says]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, says)));
    const said = "j, k and ? work anywhere on the page, the others in the time line and the list of events.";
    await dialog({ title: "Keys", content: [h("dl", { class: "facts" }, rows), h("p", { class: "quiet" }, said)] })
      .closed;
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const { target } = event;
      if (target.closest?.("input, textarea, select, dialog, [contenteditable]")) return;
      if (document.querySelector("dialog[open]")) return;
      const isInside = target.closest?.(".axis, .lines");
      const to = { j: at + 1, k: at - 1 }[event.key] ??
        (isInside
          ? { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key]
          : undefined);
      if (to !== undefined) {
        event.preventDefault();
        move(to, { focus: lines.contains(document.activeElement) });
      } else if (event.key === "?") {
        event.preventDefault();
        help();
      }
    },
    { signal },
  );
  signal.addEventListener("abort", () => clearTimeout(timer));

  return {
    element,
    go,
    show(it) {
      const wasLast = at === all.length - 1;
      const stood = all[at];
      const hadFocus = lines.contains(document.activeElement);
      all = events(it);
      people = it.people;
      parts = {
        lines: list(all, people, { choose: (place) => choose(find(place)) }),
        axis: axis(it.steps, { signal, choose: (step) => move(all.findLastIndex((one) => one.index === step)) }),
      };
      const heldAxis = strip.contains(document.activeElement);
      fill(lines, parts.lines);
      fill(strip, parts.axis);
      if (heldAxis) parts.axis.focus();
      const first = asked();
      const to = stood && !wasLast ? find(stood) : first >= 0 && !stood ? first : all.length - 1;
      move(to, { focus: hadFocus, silent: true });
    },
  };

  function choose(index) {
    move(index, { focus: true });
    // Where the two are below each other, the state would be out of sight.
    if (shown.offsetTop > lines.offsetTop + 20) shown.scrollIntoView({ block: "nearest" });
  }
}
