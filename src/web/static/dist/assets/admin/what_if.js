// What recorded executions would have come to under other policies, bindings, stages or a whole blueprint.

import { announce } from "./announce.js";
import { create } from "./api.js";
import { differences } from "./blueprint_diff.js";
import { code } from "./code.js";
import { facts, fill, h, words } from "./h.js";
import { table } from "./list.js";
import { action, bar, button, section } from "./page.js";
import { href, query } from "./router.js";

export const title = "What if";

/** How far back it is looked at first, in days. */
const DAYS = 7;
/** How many executions are run again at most. */
const LIMITS = [1000, 5000, 20000];

/** What was typed last: a question about one execution is asked about all next. */
let typed = "";

export function render(place) {
  const { execution } = query();
  const text = code(
    { id: "what-if", name: "what-if", rows: 14, "aria-describedby": "what-if-hint" },
    typed,
  );
  text.addEventListener("input", () => (typed = text.value));
  const file = h("input", { type: "file", id: "what-if-file", accept: ".yaml,.yml,.json,text/*" });
  const since = h("input", { type: "datetime-local", id: "what-if-since" });
  since.value = local(new Date(Date.now() - DAYS * 86_400_000));
  const flow = h("input", { type: "text", id: "what-if-flow", autocomplete: "off", spellcheck: "false" });
  const limit = h(
    "select",
    { id: "what-if-limit" },
    LIMITS.map((it) => h("option", { value: it }, it.toLocaleString("en-GB"))),
  );
  const outcome = h("div", { role: "status" });
  const problem = h("div");
  let name = "what-if";

  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    text.value = typed = await chosen.text();
    name = chosen.name;
    fill(outcome);
    announce(`${chosen.name} was read.`);
  });

  const asks = async () => {
    fill(problem);
    fill(outcome);
    if (text.value.trim() === "") {
      text.focus();
      return;
    }
    const which = execution
      ? { executions: [execution] }
      : {
          ...(since.value ? { since: new Date(since.value).toISOString() } : {}),
          ...(flow.value.trim() ? { flow: flow.value.trim() } : {}),
          limit: Number(limit.value),
        };
    try {
      const found = await create("/gatelog/replay/what-if/", { content: text.value, name, ...which });
      fill(outcome, section("What they would have come to", told(found)));
      outcome.firstChild.scrollIntoView({ block: "nearest" });
    } catch (error) {
      const fields = Object.entries(error.fields ?? {});
      fill(
        problem,
        h(
          "div",
          { class: "alert", role: "alert" },
          h("p", {}, error.detail ?? error.message),
          fields.length
            ? h(
                "ul",
                {},
                fields.map(([field, texts]) => h("li", {}, `${words(field)}: ${texts.join(" ")}`)),
              )
            : null,
        ),
      );
    }
  };

  const field = (label, input) =>
    h("div", { class: "field" }, h("label", { for: input.id }, label), input);
  const which = execution
    ? h(
        "p",
        {},
        "It is asked about ",
        h("a", { href: href(`/executions/${execution}`) }, "one execution"),
        ". ",
        h("a", { href: href("/what-if") }, "Ask about all."),
      )
    : [
        field("Executions that began since", since),
        field("Of this flow only (slug)", flow),
        field("The latest, at most", limit),
      ];
  place.append(
    section(
      "What would be different",
      h(
        "div",
        { class: "form" },
        h(
          "p",
          {},
          "Nothing is changed. The visitors of then go again, as if this had been so: they answer what they answered, and users are read as they were.",
        ),
        h("div", { class: "field" }, h("label", { for: "what-if-file" }, "From a file"), file),
        h(
          "div",
          { class: "field" },
          h("label", { for: "what-if" }, "Or as text"),
          h(
            "p",
            { class: "hint", id: "what-if-hint" },
            "A blueprint with what would be different: policies, bindings, stages, or a whole flow.",
          ),
          text,
        ),
        which,
        problem,
        bar(action("Ask", asks, "primary"), button("Executions", href("/executions"))),
      ),
    ),
    outcome,
  );
}

/** The table of ways with their counts and examples, and what the blueprint would change. */
function told({ problems, notes, changes, table: found }) {
  const listed = (texts) => h("ul", {}, texts.map((text) => h("li", {}, text)));
  if (!found)
    return h("div", { class: "alert", role: "alert" }, h("p", {}, "It cannot be supposed:"), listed(problems));
  return [
    notes.length ? h("div", { class: "notice" }, listed(notes)) : null,
    facts([
      ["Executions", String(found.executions)],
      ["Another way", String(found.changed)],
      ["Unknown", String(found.unknown)],
      ["Read out of the history", String(found.reconstructed)],
      found.unreadable ? ["No longer readable", String(found.unreadable)] : null,
      found.damaged ? ["Damaged", String(found.damaged)] : null,
    ]),
    found.more
      ? h("p", { class: "notice" }, "There are more executions than were asked about; the latest were taken.")
      : null,
    found.rows.length
      ? h(
          "div",
          { class: "table after", tabindex: "0", role: "region", "aria-label": "What they would have come to" },
          table({ caption: "What they would have come to", columns: COLUMNS, rows: found.rows }),
        )
      : h("p", { class: "empty" }, "There is no execution that fits."),
    h(
      "details",
      { class: "holds" },
      h("summary", {}, `What the blueprint would change (${changes.length})`),
      changes.length ? differences(changes) : h("p", { class: "quiet" }, "Nothing: it is so already."),
    ),
  ];
}

/** What stands beside a way: a shape for whether it is another one. */
const SIGNS = { same: ["=", "", "the same"], other: ["≠", "bad", "another"], unknown: ["?", "", "unknown"] };

function now(it) {
  const which = it.now === "unknown" ? "unknown" : it.now === it.was ? "same" : "other";
  const [sign, kind, said] = SIGNS[which];
  return h(
    "span",
    { class: `tag ${kind}` },
    h("span", { "aria-hidden": "true" }, sign),
    h("span", { class: "offscreen" }, `(${said})`),
    ` ${words(it.now)}`,
  );
}

const COLUMNS = [
  { name: "How many", of: (it) => it.count.toLocaleString("en-GB") },
  { name: "Was", of: (it) => words(it.was) },
  { name: "Would be", of: now },
  { name: "Why", of: (it) => it.why ?? "—" },
  {
    name: "Such as",
    of: (it) =>
      it.examples.map((one, index) => [
        index ? " " : "",
        h("a", { class: "code", href: href(`/executions/${one.execution}`) }, one.code),
      ]),
  },
];

function local(at) {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
