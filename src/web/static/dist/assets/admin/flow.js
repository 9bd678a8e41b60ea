// One flow and its parts.

import { announce } from "./announce.js";
import { address, all, get, update } from "./api.js";
import { diagram } from "./diagram.js";
import { DESIGNATIONS, FLOW_FIELDS, FLOW_ORDER, MODES, REQUIREMENTS } from "./flow_fields.js";
import { steps } from "./flow_steps.js";
import { form } from "./form.js";
import { facts, h, words, yes } from "./h.js";
import { history } from "./history.js";
import { gates } from "./gates.js";
import { may, mayAt } from "./may.js";
import { action, bar, button, section, setTitle, tabs } from "./page.js";
import { deletion } from "./remove.js";
import { go, href } from "./router.js";

export const title = "Flow";

const PARTS = [
  ["", "Overview"],
  ["stages", "Stages"],
  ["policies", "Policies"],
  ["edit", "Edit"],
  ["history", "History"],
];

export async function render(place, { slug, part = "" }) {
  const flow = await get(`/flows/instances/${slug}/`);
  setTitle(flow.name);
  const mayEdit = mayAt("change", "/flows/instances/");
  place.append(
    tabs(
      `/flows/${slug}`,
      PARTS.filter(([name]) => name !== "edit" || mayEdit),
    ),
  );
  place.append(...[(await SHOWN[part]?.(flow)) ?? h("p", {}, "There is no such part.")].flat());
}

const SHOWN = {
  "": overview,
  stages: (flow) => steps(flow),
  policies: (flow) =>
    gates({
      target: flow.policybindingmodel_ptr_id,
      heading: "Who may go through it",
      said: policyHint(flow),
    }),
  edit: async (flow) => h("section", {}, await edit(flow)),
  history: async (flow) => section("Who changed it", await history("flow", flow.pk)),
};

const policyHint = (flow) =>
  `${REQUIREMENTS[flow.authentication] ?? flow.authentication} may start it. Without policies nobody else is turned away; ${(MODES[flow.policy_engine_mode] ?? "").toLowerCase()}.`;

async function overview(flow) {
  const bindings = await all("/flows/bindings/", { target: flow.pk, ordering: "order" });
  const targets = [flow, ...bindings].map((it) => it.policybindingmodel_ptr_id);
  const bound = await Promise.all(
    targets.map((target) => all("/policies/bindings/", { target, ordering: "order" })),
  );
  const by = new Map(targets.map((target, index) => [target, bound[index]]));
  const back = encodeURIComponent(`/if/admin/flows/${flow.slug}`);
  const known = facts([
    ["Title", flow.title],
    ["Slug", h("code", {}, flow.slug)],
    ["What it is for", DESIGNATIONS[flow.designation] ?? flow.designation],
    ["Who may start it", REQUIREMENTS[flow.authentication] ?? flow.authentication],
    [
      "When it is denied",
      FLOW_FIELDS.denied_action.names[flow.denied_action] ?? flow.denied_action,
    ],
    ["Layout", words(flow.layout)],
    ["Compatibility mode", yes(flow.compatibility_mode)],
  ]);
  const run = h(
    "a",
    { class: "button primary", target: "_blank" },
    "Run",
    h("span", { class: "offscreen" }, " (in a new tab)"),
  );
  // A run that is under way keeps the flow as it was when it began. Another address is another run.
  const anew = () => {
    run.href = `/if/flow/${flow.slug}/?next=${back}&run=${Date.now().toString(36)}`;
  };
  for (const event of ["pointerdown", "keydown"]) run.addEventListener(event, anew);
  anew();
  const actions = bar(
    run,
    action("Run as yourself", () => runAsMe(flow)),
    may("authentik_flows.export_flow") &&
      h(
        "a",
        {
          class: "button",
          href: address(`/flows/instances/${flow.slug}/export/`),
          download: `${flow.slug}.yaml`,
        },
        "Export",
      ),
    deletion({
      path: `/flows/instances/${flow.slug}/`,
      name: flow.name,
      to: () => go("/flows"),
    }),
  );
  const note = h(
    "p",
    { class: "quiet" },
    "Each run begins anew, with the flow as it is now. Run it in a private window to see what a stranger sees. “Run as yourself” starts it with you as the one whom it is about.",
  );
  return [actions, note, section("Facts", known), section("Diagram", diagram(flow, bindings, by))];
}

/** The tab is opened before the answer is there, or the browser takes it for an advertisement. */
async function runAsMe(flow) {
  const tab = window.open("about:blank", "_blank");
  try {
    const { link } = await get(`/flows/instances/${flow.slug}/execute/`);
    if (tab) tab.location = link;
    else location.assign(link);
  } catch (error) {
    tab?.close();
    announce(error.message, "bad");
  }
}

function edit(flow) {
  return form({
    operation: "flows_instances_partial_update",
    values: flow,
    fields: FLOW_FIELDS,
    order: FLOW_ORDER,
    cancel: button("Cancel", href(`/flows/${flow.slug}`)),
    save: (body) => update(`/flows/instances/${flow.slug}/`, body),
    saved: (now) => go(`/flows/${now.slug}`),
  });
}
