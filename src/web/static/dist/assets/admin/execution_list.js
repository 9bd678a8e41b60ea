// All that happened in an execution: every request with what came of it, and the pauses between them.

import { PAUSE } from "./execution_axis.js";
import { named, shape, span, time } from "./event_shape.js";
import { h, words } from "./h.js";

/** Every event of an execution in its order, with its place. A request in which nothing happened has one. */
export function events(it) {
  return it.steps.flatMap((step, index) => {
    const told = step.events.map((event, at) => ({ event, at: at + 1 }));
    const all = told.length ? told : [{ event: null, at: 0 }];
    return all.map(({ event, at }) => ({
      step,
      index,
      event,
      version: step.version,
      number: at,
      name: `${step.version}.${at}`,
      text: event ? (event.lines[0] ?? words(event.kind)) : "Nothing happened",
    }));
  });
}

/** The list. `choose(place)` is called with the event that was pressed; `mark(place)` says where the cursor is. */
export function list(all, people, { choose }) {
  const presses = [];
  const rows = [];
  let before;
  let from = null;
  for (const { step, index } of all.filter((it, at) => all[at - 1]?.step !== it.step)) {
    const at = Date.parse(step.at);
    if (before !== undefined && at - before >= PAUSE)
      rows.push(h("li", { class: "gap" }, `${span(at - before)} later`));
    const since = before === undefined || at - before >= PAUSE ? null : passed(at - before);
    before = at;
    const isElsewhere = from !== null && from !== step.address && step.address !== "0.0.0.0";
    if (step.address !== "0.0.0.0") from = step.address;
    rows.push(
      h(
        "li",
        {},
        h(
          "div",
          { class: "head" },
          h("strong", {}, step.asked),
          " ",
          time(step.at),
          since ? h("span", { class: "quiet" }, since) : null,
          isElsewhere ? h("span", { class: "tag bad" }, "another address") : null,
        ),
        h("ul", { class: "told" }, inside(all.filter((it) => it.index === index))),
      ),
    );
  }

  function inside(places) {
    let stage;
    return places.flatMap((place) => {
      const { event } = place;
      const isNew = event?.stage && event.stage !== stage;
      stage = event?.stage ?? stage;
      const { sign, kind, said } = event ? shape(event) : { sign: "·", kind: "", said: "" };
      const press = h(
        "button",
        { type: "button", class: "event", tabindex: "-1", onclick: () => choose(place) },
        h("span", { class: "sign", "aria-hidden": "true" }, sign),
        said ? h("span", { class: "offscreen" }, `(${said}) `) : null,
        h("span", {}, named(place.text, people, false)),
      );
      presses.push([place, press]);
      return [
        isNew ? h("li", { class: "at" }, `At ${event.stage}`) : null,
        h("li", { class: kind || null }, press),
      ];
    });
  }

  const element = h("ol", { class: "timeline" }, rows);
  element.mark = (place, { focus } = {}) => {
    for (const [it, press] of presses) {
      const isHere = it.name === place.name;
      press.tabIndex = isHere ? 0 : -1;
      if (isHere) press.setAttribute("aria-current", "step");
      else press.removeAttribute("aria-current");
      if (isHere && focus) press.focus({ preventScroll: true });
      if (isHere) inView(press);
    }
  };
  return element;
}

/** Scrolls the list to the cursor where it has a height of its own; else only as far as needed. */
function inView(press) {
  const box = press.closest(".scrolls");
  if (!box || box.scrollHeight <= box.clientHeight) return;
  const [at, edge] = [press.getBoundingClientRect(), box.getBoundingClientRect()];
  if (at.top < edge.top + 40) box.scrollTop -= edge.top + 40 - at.top;
  if (at.bottom > edge.bottom - 40) box.scrollTop += at.bottom - edge.bottom + 40;
}

function passed(milliseconds) {
  return milliseconds < 1000 ? `+${milliseconds} ms` : `+${(milliseconds / 1000).toFixed(1)} s`;
}
