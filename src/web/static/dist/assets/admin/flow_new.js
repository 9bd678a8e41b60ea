// A new flow.

import { create } from "./api.js";
import { FLOW_FIELDS, FLOW_ORDER } from "./flow_fields.js";
import { form } from "./form.js";
import { h } from "./h.js";
import { button } from "./page.js";
import { go, href } from "./router.js";

export const title = "New flow";

export async function render(place) {
  const made = await form({
    operation: "flows_instances_create",
    fields: FLOW_FIELDS,
    order: FLOW_ORDER,
    submit: "Create the flow",
    said: "The flow was created. Now give it stages.",
    cancel: button("Cancel", href("/flows")),
    save: (body) => create("/flows/instances/", body),
    saved: (flow) => go(`/flows/${flow.slug}/stages`),
  });
  suggestSlug(made);
  place.append(h("section", {}, made));
}

/** Makes the slug of the name, until somebody types another one. */
function suggestSlug(made) {
  const [name, slug] = [made.field("name").control, made.field("slug").control];
  let suggested = "";
  name.addEventListener("input", () => {
    if (slug.value !== suggested) return;
    suggested = name.value
      .normalize("NFD")
      .toLowerCase()
      .replace(/[\u0300-\u036f]/g, "")
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 50);
    slug.value = suggested;
  });
}
