// A new stage: first its kind, then what it is.

import { h } from "./h.js";
import { kindCards, kindForm } from "./kind_form.js";
import { STAGES, kindOf, kinds } from "./kinds.js";
import { button, setTitle } from "./page.js";
import { go, href } from "./router.js";

export const title = "New stage";

export async function render(place, { model }) {
  if (!model) {
    place.append(kindCards(await kinds(STAGES), (kind) => href(`/stages/new/${kind.model}`)));
    return;
  }
  const kind = await kindOf(STAGES, model);
  setTitle(`New ${kind.name}`);
  const cancel = button("Another kind", href("/stages/new"));
  const made = await kindForm({ kind, cancel, saved: (object) => go(`/stages/${object.pk}`) });
  place.append(h("section", {}, h("p", { class: "quiet" }, kind.description), made));
}
