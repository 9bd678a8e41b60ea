// Where the console begins: what there is, and how things are at the moment.

import { get, list } from "./api.js";
import { stateTag, who } from "./executions.js";
import { h, moment, tag } from "./h.js";
import { table } from "./list.js";
import { may, mayAt } from "./may.js";
import { section } from "./page.js";
import { href } from "./router.js";

export const title = "Start";

const COUNTED = [
  [
    "/flows",
    "Flows",
    "/flows/instances/",
    "What people go through to log in, sign up or get back in.",
  ],
  ["/stages", "Stages", "/stages/all/", "The steps of flows."],
  ["/policies", "Policies", "/policies/all/", "Who may go on, and which steps they see."],
  ["/prompts", "Prompts", "/stages/prompt/prompts/", "The questions of prompt stages."],
  ["/users", "Users", "/core/users/", "Who has an account here."],
  ["/groups", "Groups", "/core/groups/", "Who belongs together."],
];

const LATEST = 8;

export async function render(place, { signal }) {
  const shown = [health(signal), counts(signal), latest(signal)];
  place.append(...(await Promise.all(shown)).filter(Boolean));
}

async function counts(signal) {
  const cards = COUNTED.filter(([, , path]) => mayAt("view", path)).map(
    async ([to, name, path, text]) => {
      const found = await list(path, { page_size: 1 }, { signal }).catch(() => null);
      return h(
        "li",
        {},
        h(
          "a",
          { class: "card", href: href(to) },
          h("strong", {}, name),
          h("span", { class: "count" }, found?.pagination.count ?? "—"),
          h("span", { class: "quiet" }, text),
        ),
      );
    },
  );
  return cards.length > 0 ? h("ul", { class: "cards" }, await Promise.all(cards)) : null;
}

/** What somebody should look at, or that there is nothing. */
async function health(signal) {
  if (!may("authentik_rbac.view_system_info")) return null;
  const it = await get("/gatelog/health/", {}, { signal }).catch(() => null);
  const more = h("a", { href: href("/health") }, "System health");
  if (!it) return h("p", { class: "alert" }, "How the server is cannot be read. ", more);
  const problems = [
    it.journal.writable === false && "nothing can be written into the journal",
    it.outbox?.failing > 0 && `${counted(it.outbox.failing, "mail")} cannot be sent`,
    it.workers?.problems.length > 0 && "expressions have problems",
    it.blueprints.problems.some((one) => one.status === "error") && "a blueprint went wrong",
  ].filter(Boolean);
  if (problems.length > 0)
    return h("p", { class: "alert" }, `Look at it: ${problems.join("; ")}. `, more);
  const { count, more: isMore } = it.executions.unfinished;
  return h(
    "p",
    {},
    tag("✓ all is well", "good"),
    ` ${isMore ? "More than " : ""}${counted(count, "execution")} under way. `,
    more,
  );
}

const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** What happened last. */
async function latest(signal) {
  if (!may("authentik_flows.inspect_flow")) return null;
  const query = { limit: LATEST };
  const found = await get("/gatelog/executions/", query, { signal }).catch(() => null);
  if (!found?.results.length) return null;
  const columns = [
    {
      name: "Code",
      of: (it) => h("a", { class: "code", href: href(`/executions/${it.execution}`) }, it.code),
    },
    { name: "Began", of: (it) => moment(it.started) },
    { name: "Flow", of: (it) => h("a", { href: href(`/flows/${it.flow}`) }, it.flow) },
    { name: "User", of: who },
    { name: "State", of: (it) => stateTag(it.state) },
  ];
  const shown = table({ caption: "The latest executions", columns, rows: found.results });
  const region = { class: "table", tabindex: "0", role: "region", "aria-label": "The latest executions" };
  const all = h("a", { class: "button", href: href("/executions") }, "Show all");
  return section("The latest executions", h("div", region, shown), all);
}
