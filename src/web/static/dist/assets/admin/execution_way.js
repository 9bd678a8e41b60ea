// The way that somebody went through a flow, as a picture that is a list: what was passed, what was left
// out and why, where they stood and what was ahead.

import { named } from "./event_shape.js";
import { h, words } from "./h.js";
import { href } from "./router.js";

/** How it went at a place: a sign, a class and a word. */
const HOW = {
  flow: ["▸", "start", "begins"],
  passed: ["✓", "passed", "passed"],
  skipped: ["⊘", "skipped", "left out"],
  here: ["▶", "here", "the visitor is here"],
  failed: ["!", "failed", "failed"],
  denied: ["✕", "failed", "refused here"],
  left: ["–", "skipped", "left before it was passed"],
  ahead: ["○", "ahead", "still to come"],
  unreached: ["○", "ahead", "not reached"],
};

const ENDS = {
  completed: ["✓", "passed", "Completed"],
  denied: ["✕", "failed", "Denied"],
  cancelled: ["–", "skipped", "Given up"],
  expired: ["○", "skipped", "Expired"],
};

/** The picture of a state's `way`. `choose({ version, event })` goes to where something was decided. */
export function way(state, people, { choose }) {
  const end = ENDS[state.state];
  const rows = state.way.map((node) => row(end && node.how === "ahead" ? { ...node, how: "unreached" } : node, people, choose));
  if (end) {
    const [sign, kind, word] = end;
    const where = state.detail ? `: ${state.detail}` : "";
    rows.push(
      h(
        "li",
        { class: `end ${kind}` },
        h("div", { class: "node" }, sign_(sign), `${word}${where}`),
      ),
    );
  }
  return h("ol", { class: "diagram way" }, rows);
}

const sign_ = (sign) => h("span", { class: "sign", "aria-hidden": "true" }, sign);

function row(node, people, choose) {
  const [sign, kind, word] = HOW[node.how] ?? ["?", "", node.how];
  const isFlow = node.how === "flow";
  const name = isFlow
    ? h("a", { href: href(`/flows/${node.name}`) }, node.name)
    : node.stage
      ? h("a", { href: href(`/stages/${node.stage}`) }, node.name)
      : node.name;
  const refused = node.refused
    ? ` · ${node.refused === 1 ? "one answer" : `${node.refused} answers`} refused`
    : "";
  const by = node.by ? ` · put there by ${node.by}` : "";
  const kindOf = node.kind ? `${words(node.kind)} · ` : "";
  return h(
    "li",
    { class: kind },
    h(
      "div",
      { class: "node" },
      h("p", {}, sign_(sign), isFlow ? "Flow " : null, h("strong", {}, name)),
      h("p", { class: "quiet" }, `${kindOf}${word}${by}${refused}`),
      node.reasons.length
        ? h(
            "div",
            { class: "gates" },
            h("ul", {}, lines(node.reasons).map((line) => h("li", {}, named(line, people)))),
          )
        : null,
      jumps(node, choose),
    ),
  );
}

/** Lines that belong to the one before them are put into it. */
function lines(reasons) {
  const put = [];
  for (const line of reasons) {
    if (line.startsWith("  ") && put.length) put[put.length - 1] += `; ${line.trim()}`;
    else put.push(line);
  }
  return put;
}

function jumps(node, choose) {
  const to = (place, text) =>
    place
      ? h(
          "button",
          {
            type: "button",
            class: "plainly",
            "aria-label": `${text}: ${node.name}`,
            onclick: () => choose(place),
          },
          text,
        )
      : null;
  const both = [
    node.how === "flow" ? null : to(node.from, "Go to where it was entered"),
    to(node.to, node.how === "flow" ? "Go to where it begins" : "Go to where that was decided"),
  ].filter(Boolean);
  return both.length ? h("p", { class: "jumps" }, both) : null;
}
