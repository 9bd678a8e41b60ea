// An execution at the cursor: the event, what it changed, what was known, and what the visitor saw.

import { address } from "./api.js";
import { named, shape } from "./event_shape.js";
import { fill, h, moment, words } from "./h.js";
import { person } from "./people.js";

/**
 * The panel. `show(place, state, people)` fills it; `state` may still be missing. `path` is that of the
 * execution in the API.
 */
export function panel(path, controls) {
  const heading = h("div", { class: "now" });
  const changes = h("div");
  const known = h("div");
  const rest = h("div");
  const frame = h("div", { class: "seen" });
  const element = h(
    "div",
    { class: "at-cursor scrolls", tabindex: "0", role: "region", "aria-label": "At the cursor" },
    controls,
    heading,
    changes,
    frame,
    known,
    rest,
  );
  let seen = "";

  element.show = (place, state, people) => {
    fill(heading, head(place, people));
    element.classList.toggle("loads", !state);
    if (!state) return;
    const all = { ...people, ...state.people };
    fill(changes, part("What it changed", changed(state, all)));
    fill(known, part("What was known then", knows(state, all)), part("What was open", waits(state, all)));
    fill(rest, holds(place, all));
    const key = state.shown ? JSON.stringify([state.shown, state.slug]) : "none";
    if (key === seen) return;
    seen = key;
    fill(frame, part("What the visitor had before them", sees(path, state)));
  };
  element.fails = (error) => {
    element.classList.remove("loads");
    fill(changes, h("p", { class: "alert", role: "alert" }, error.detail ?? error.message));
    seen = "";
    fill(frame);
    fill(known);
    fill(rest);
  };
  return element;
}

const part = (name, content) => (content ? h("div", { class: "part" }, h("h3", {}, name), content) : null);

function head({ step, event, text, name }, people) {
  const { sign, kind, said } = event ? shape(event) : { sign: "·", kind: "", said: "" };
  const [, ...more] = event?.lines ?? [];
  return [
    h(
      "p",
      { class: `sentence ${kind}` },
      h("span", { class: "sign", "aria-hidden": "true" }, sign),
      said ? h("span", { class: "offscreen" }, `(${said}) `) : null,
      named(text, people),
    ),
    more.length ? h("ul", { class: "more" }, more.map((line) => h("li", {}, named(line.trim(), people)))) : null,
    h(
      "p",
      { class: "quiet" },
      h("code", {}, event?.kind ?? "no event"),
      ` at ${name}, `,
      moment(step.at),
      event?.stage ? `, at ${event.stage}` : null,
    ),
  ];
}

function changed(state, people) {
  if (state.changes.length === 0) return h("p", { class: "quiet" }, "Nothing of the state.");
  const value = (tag, text) => h(tag, {}, named(text, people, false));
  return h(
    "ul",
    { class: "changes-of" },
    state.changes.map(({ what, was, is }) =>
      h(
        "li",
        {},
        h("span", { class: "what" }, what),
        " ",
        was === null ? null : [h("span", { class: "offscreen" }, "was "), value("del", was), " "],
        is === null
          ? h("span", { class: "quiet" }, "gone")
          : [h("span", { class: "offscreen" }, "is "), value("ins", is)],
      ),
    ),
  );
}

function knows(state, people) {
  if (state.context.length === 0) return null;
  return h(
    "dl",
    { class: "known" },
    state.context.map(({ key, text, value, by, since }) => [
      h("dt", {}, h("code", {}, key)),
      h(
        "dd",
        {},
        value.is === "user" && people[value.value] ? person(people[value.value]) : named(text, people),
        by
          ? h("span", { class: "quiet" }, ` by ${by}${since ? `, at ${since.version}.${since.event}` : ""}`)
          : null,
      ),
    ]),
  );
}

function waits(state, people) {
  if (state.waits.length === 0) return null;
  return h(
    "ul",
    {},
    state.waits.map(({ what, until }) =>
      h("li", {}, named(what, people), until ? [", until ", moment(until)] : null),
    ),
  );
}

/** The page in a frame in which nothing can be done, and its fields beside it for whoever cannot see that. */
function sees(path, state) {
  if (!state.shown) return h("p", { class: "quiet" }, "Nothing that is in the trail.");
  const { component, number, fields, errors } = state.shown;
  const { version, event } = state.place;
  const source = address(`${path}page/`, { version, event: String(event) });
  const complaints = Object.entries(errors ?? {}).flatMap(([field, all]) =>
    all.map((it) => h("li", { class: "bad" }, `${words(field)}: ${it.string}`)),
  );
  const names = Object.keys(fields).sort();
  return [
    h(
      "div",
      { class: "window" },
      h("iframe", { src: source, sandbox: "", title: `The page of ${component}, as it was shown` }),
    ),
    h(
      "details",
      { class: "fields-of" },
      h("summary", {}, number ? `Challenge ${number}, ` : "", h("code", {}, component)),
      complaints.length ? h("ul", {}, complaints) : null,
      names.length
        ? h(
            "dl",
            { class: "known" },
            names.map((name) => [
              h("dt", {}, h("code", {}, name)),
              h("dd", {}, typeof fields[name] === "string" ? fields[name] : JSON.stringify(fields[name])),
            ]),
          )
        : h("p", { class: "quiet" }, "It has no fields."),
      h("p", { class: "quiet" }, "What was secret on the page is not in the trail, and so is missing here."),
    ),
  ];
}

function holds({ step, event }, people) {
  const whole = event ? JSON.stringify(event.details, null, 2) : "";
  const pages = Object.entries(people).filter(([id]) => whole.includes(id));
  return h(
    "details",
    { class: "holds" },
    h("summary", {}, "What the event holds"),
    pages.length
      ? h("p", {}, "Who that is: ", pages.map(([, it], index) => [index ? ", " : "", person(it)]))
      : null,
    event ? h("pre", { tabindex: "0" }, whole) : null,
    h("p", { class: "quiet" }, `Step ${step.version}, request `, h("code", {}, step.request)),
  );
}
