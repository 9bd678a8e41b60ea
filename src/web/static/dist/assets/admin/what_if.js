// What recorded executions would have come to under other policies, bindings, stages or a whole blueprint.

import { announce } from "./announce.js";
import { create } from "./api.js";
import { code } from "./code.js";
import { fill, h, words } from "./h.js";
import { table } from "./list.js";
import { action, bar, button, section } from "./page.js";
import { href, query } from "./router.js";

export const title = "What if";

/** How far back it is looked at first, in days. */
const DAYS = 7;

export function render(place) {
  const { execution } = query();
  const text = code(
    { id: "what-if", name: "what-if", rows: 14, "aria-describedby": "what-if-hint" },
    "",
  );
  const file = h("input", { type: "file", id: "what-if-file", accept: ".yaml,.yml,.json,text/*" });
  const since = h("input", { type: "datetime-local", id: "what-if-since" });
  since.value = local(new Date(Date.now() - DAYS * 86_400_000));
  const outcome = h("div", { role: "status" });
  const problem = h("div");

  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    text.value = await chosen.text();
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
      : since.value
        ? { since: new Date(since.value).toISOString() }
        : {};
    try {
      const found = await create("/gatelog/replay/what-if/", { ...which, changes: text.value });
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
            ? h("ul", {}, fields.map(([name, texts]) => h("li", {}, `${words(name)}: ${texts.join(" ")}`)))
            : null,
        ),
      );
    }
  };

  const which = execution
    ? h(
        "p",
        {},
        "It is asked about ",
        h("a", { href: href(`/executions/${execution}`) }, "one execution"),
        ". ",
        h("a", { href: href("/what-if") }, "Ask about all."),
      )
    : h(
        "div",
        { class: "field" },
        h("label", { for: "what-if-since" }, "Executions that began since"),
        since,
      );
  place.append(
    section(
      "What would be different",
      h(
        "div",
        { class: "form" },
        h(
          "p",
          {},
          "Nothing is changed. What was recorded is run again as if this had been so then: the visitors’ answers stay as they were, and users are read as they were.",
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

/** The table of counts, with the way to examples of each. */
function told(found) {
  const rows = Object.entries(found.counts ?? {}).map(([name, it]) =>
    typeof it === "number" ? { name, count: it, examples: found.examples?.[name] ?? [] } : { name, ...it },
  );
  const total = rows.reduce((sum, it) => sum + it.count, 0);
  return [
    table({
      caption: "What they would have come to",
      columns: [
        { name: "Would be", of: (it) => words(it.name) },
        { name: "How many", of: (it) => String(it.count) },
        { name: "Examples", of: (it) => examples(it.examples ?? []) },
      ],
      rows,
    }),
    h("p", { class: "quiet" }, `${total} executions.`),
  ];
}

function examples(all) {
  if (all.length === 0) return "—";
  const link = (it) => {
    const [id, name] = typeof it === "string" ? [it, `${it.slice(0, 8)}…`] : [it.execution, it.code];
    return h("a", { class: "code", href: href(`/executions/${id}`) }, name);
  };
  return all.map((it, index) => [index ? " " : "", link(it)]);
}

function local(at) {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
